//! Sizes of memory.

use bytesize::ByteSize;
use toml::de::DeValue;

use super::schema;
use crate::config::setting::{Reader, Setting, Value};

/// A number of bytes: `"512MiB"`.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Size(pub(in crate::config) u64);

schema!(Size, {
    "type": "string",
    "pattern": "^[0-9]+(\\.[0-9]+)? *([kKmMgGtTpPeE][iI]?[bB]?|[bB])$",
    "not": {"pattern": "^[0.]+[^0-9.]"},
    "examples": ["512MiB", "2G"],
});

impl Setting for Size {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::String(text) = value.get_ref() else {
            return reader.wrong_type(value, "a size in quotes, such as \"512MiB\"");
        };
        match parse(text) {
            Ok(bytes) => Some(Self(bytes)),
            Err(why) => reader.refuse(value, why),
        }
    }
}

fn parse(text: &str) -> Result<u64, String> {
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    if !has_unit && text.parse::<f64>().is_ok() {
        return Err(format!("a size needs a unit, such as {text}M or {text}MiB"));
    }
    match text.parse::<ByteSize>() {
        Ok(size) if size.as_u64() == 0 => Err("nothing fits into 0 bytes".to_owned()),
        Ok(size) if size.as_u64() < u64::MAX && has_unit => Ok(size.as_u64()),
        Ok(_) => Err("no machine has as much memory as this".to_owned()),
        Err(_) => Err("a size is a number and a unit: 512MiB (1024²), 2G (1000³)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sizes_read_as_people_write_them() {
        for (text, bytes) in [
            ("2G", 2_000_000_000),
            ("2GB", 2_000_000_000),
            ("2GiB", 2 << 30),
            ("512 MiB", 512 << 20),
            ("1.5k", 1_500),
            ("100B", 100),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_what_would_do() {
        for (text, mend) in [
            ("5", "5M"),
            ("", "512MiB"),
            ("G", "512MiB"),
            ("-1G", "512MiB"),
            ("2 gigs", "512MiB"),
            ("inf", "512MiB"),
            ("0M", "0 bytes"),
            ("99999999999E", "no machine"),
        ] {
            let refused = parse(text);
            assert!(refused.as_ref().is_err_and(|why| why.contains(mend)), "{text}: {refused:?}");
        }
    }
}
