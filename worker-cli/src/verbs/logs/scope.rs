//! Which logs are meant, those included that there are not yet.

use std::collections::BTreeSet;

use crate::client::Client;
use crate::error::Failure;
use crate::slot_name::project_of;
use crate::verbs::here::Here;
use crate::verbs::names::Names;

/// The slots that are meant, by their names in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Those of this project, or all.
    All(Option<String>),
    /// These, and the instances of these templates.
    Named { slots: BTreeSet<String>, templates: BTreeSet<String> },
}

impl Scope {
    /// What is written on the command line; nothing stands for the nearest project.
    ///
    /// # Errors
    ///
    /// [`Failure`] if something cannot be meant, or if the daemon cannot be reached.
    pub(super) async fn of(client: &Client, written: &[String]) -> Result<Self, Failure> {
        let here = Here::look()?;
        if written.is_empty() {
            return Ok(Self::All(here.project().map(|project| project.name().to_owned())));
        }
        let known = client.slots(None).await?.names();
        Self::named(&Names { here: &here, known: &known }, written)
    }

    fn named(names: &Names<'_>, written: &[String]) -> Result<Self, Failure> {
        let (mut slots, mut templates) = (BTreeSet::new(), BTreeSet::new());
        for written in written {
            match names.find(written) {
                Ok(target) => slots.insert(target.slot),
                Err(failure) => templates.insert(names.template(written).ok_or(failure)?),
            };
        }
        Ok(Self::Named { slots, templates })
    }

    /// The slots of it that the daemon knows.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the daemon cannot be reached.
    pub(super) async fn present(&self, client: &Client) -> Result<Vec<String>, Failure> {
        let known = client.slots(self.project()).await?.names();
        Ok(known.into_iter().filter(|slot| self.includes(slot)).collect())
    }

    /// Whether a slot is meant.
    pub(super) fn includes(&self, slot: &str) -> bool {
        match self {
            Self::All(project) => {
                project.as_ref().is_none_or(|project| project == project_of(slot))
            }
            Self::Named { slots, templates } => {
                let template = slot.split_once('@').map(|(template, _)| template);
                slots.contains(slot) || template.is_some_and(|it| templates.contains(it))
            }
        }
    }

    /// The slots that were named on their own.
    pub(super) fn named_slots(&self) -> impl Iterator<Item = &String> {
        let named = match self {
            Self::All(_) => None,
            Self::Named { slots, .. } => Some(slots),
        };
        named.into_iter().flatten()
    }

    /// Whether a single slot is meant, whatever comes.
    pub(super) fn is_one(&self) -> bool {
        match self {
            Self::All(_) => false,
            Self::Named { slots, templates } => slots.len() == 1 && templates.is_empty(),
        }
    }

    /// The project, if all slots that are meant are those of one.
    pub(super) fn project(&self) -> Option<&str> {
        match self {
            Self::All(project) => project.as_deref(),
            Self::Named { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_stands_for_its_instances() {
        let known = ["shop/agent@1".to_owned(), "shop/api".to_owned()];
        let names = Names { here: &Here::Nowhere, known: &known };
        let scope = Scope::named(&names, &["shop/agent".to_owned(), "api".to_owned()]).unwrap();
        let slots = ["shop/agent@1", "shop/agent@new", "shop/api", "shop/agents@1", "blog/agent@1"];
        assert_eq!(slots.map(|slot| scope.includes(slot)), [true, true, true, false, false]);
        assert!(Scope::named(&names, &["shop/web".to_owned()]).is_err());
    }

    #[test]
    fn nothing_stands_for_the_nearest_project_and_outside_of_any_for_all() {
        let of = |project: Option<&str>| Scope::All(project.map(str::to_owned));
        assert!(of(Some("shop")).includes("shop/api"));
        assert!(!of(Some("shop")).includes("shopping/api"));
        assert!(of(None).includes("shopping/api"));
    }
}
