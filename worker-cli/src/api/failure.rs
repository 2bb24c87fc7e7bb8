//! Failures as bodies, and back.

use super::{ErrorAnswer, ErrorBody, VERSION};
use crate::error::{Code, Failure};

impl From<Failure> for ErrorBody {
    /// What stands at which place of a file is told as part of the message.
    fn from(failure: Failure) -> Self {
        let Failure { code, message, hint, details } = failure;
        let places = details.iter().map(|detail| format!("\n\n{}", detail.rendered));
        Self { code: code.name().to_owned(), message: message + &places.collect::<String>(), hint }
    }
}

impl From<Failure> for ErrorAnswer {
    fn from(failure: Failure) -> Self {
        Self { v: VERSION, error: failure.into() }
    }
}

impl From<ErrorBody> for Failure {
    /// A kind that this version does not know is one of no special kind.
    fn from(ErrorBody { code, message, hint }: ErrorBody) -> Self {
        Self { hint, ..Self::new(Code::from_name(&code).unwrap_or(Code::Failed), message) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_comes_back_as_it_was_sent() {
        let failure =
            Failure::new(Code::Parked, "shop/api is parked").hint("worker reset shop/api");
        assert_eq!(Failure::from(ErrorBody::from(failure.clone())), failure);
    }

    #[test]
    fn a_kind_of_a_later_version_is_a_failure() {
        let body = ErrorBody { code: "later".into(), message: "so".into(), hint: None };
        assert_eq!(Failure::from(body), Failure::new(Code::Failed, "so"));
    }
}
