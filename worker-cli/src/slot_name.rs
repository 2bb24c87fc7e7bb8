//! The two parts of a slot's name in full, `shop/api`.

/// `shop` of `shop/api`; nothing where no project is named.
pub(crate) fn project_of(slot: &str) -> &str {
    slot.split_once('/').map_or("", |(project, _)| project)
}

/// `api` of `shop/api`; all of it where no project is named.
pub(crate) fn short(slot: &str) -> &str {
    slot.split_once('/').map_or(slot, |(_, short)| short)
}
