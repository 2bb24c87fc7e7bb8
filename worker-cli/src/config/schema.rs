//! The JSON Schema of `worker.toml`, for editors.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;

use super::tables::File;

/// The schema as JSON. It comes from the declarations that the parser comes from; what only holds
/// between several keys, or between two files, it cannot say.
#[must_use]
pub fn schema() -> serde_json::Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let mut schema = generator.into_root_schema_for::<File>();
    schema.insert("title".to_owned(), "worker.toml".into());
    schema.to_value()
}
