//! The ports of a slot.

use toml::de::DeValue;
use worker_core::{Block, PortRequest};

use super::count::integer;
use super::schema;
use crate::config::problem::Problem;
use crate::config::setting::{Reader, Setting, Value};

/// How many ports: `2`, or one: `"auto"`, or which: `[3000, 3001]`.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Ports(pub(in crate::config) PortRequest);

/// More than any slot needs, and less than most port numbers: a number above this was meant as one.
const LARGEST_BLOCK: u16 = 256;

schema!(Ports, {
    "anyOf": [
        {"type": "integer", "minimum": 0, "maximum": LARGEST_BLOCK},
        {"const": "auto"},
        {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": u16::MAX},
            "minItems": 1,
            "maxItems": LARGEST_BLOCK,
        },
    ],
    "examples": [2, "auto", [3000]],
});

const WANTED: &str = "a number of ports such as 2, or \"auto\", or a list of ports such as [3000]";

impl Setting for Ports {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let request = match value.get_ref() {
            DeValue::Integer(_) => block_size(value, reader)?,
            DeValue::String(text) if text == "auto" => PortRequest::Auto(1),
            DeValue::Array(_) => PortRequest::Fixed(fixed(value, reader)?),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => return reader.wrong_type(value, WANTED),
        };
        Some(Self(request))
    }
}

fn block_size(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<PortRequest> {
    let number = integer(value).unwrap_or_default();
    match u16::try_from(number) {
        Ok(0) => Some(PortRequest::None),
        Ok(count @ 1..=LARGEST_BLOCK) => Some(PortRequest::Auto(count)),
        Ok(port) => {
            let place = reader.place(value.span());
            let message = format!("a slot can have {LARGEST_BLOCK} ports, and {port} are more");
            reader.add(
                Problem::new(&place, message)
                    .hint(format!("this is how many; for port {port} itself write [{port}]")),
            );
            None
        }
        Err(_) => reader.refuse(value, format!("a slot can have 0 to {LARGEST_BLOCK} ports")),
    }
}

fn fixed(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Block> {
    let DeValue::Array(items) = value.get_ref() else { return None };
    let ports: Vec<Option<u16>> = items.iter().map(|item| port(item, reader)).collect();
    let ports: Vec<u16> = ports.into_iter().collect::<Option<_>>()?;
    let Some(first) = ports.first().copied() else {
        return reader.refuse(value, "there is no port in this list: write 0 for no ports");
    };
    let count = u16::try_from(ports.len()).ok().filter(|count| *count <= LARGEST_BLOCK);
    let block = count.and_then(|count| Block::new(first, count));
    match block.filter(|block| block.ports().eq(ports.iter().copied())) {
        Some(block) => Some(block),
        None => reader.refuse(
            value,
            format!("the ports of a slot follow each other, and {LARGEST_BLOCK} is the most"),
        ),
    }
}

fn port(item: &Value<'_>, reader: &mut Reader<'_>) -> Option<u16> {
    match integer(item).map(u16::try_from) {
        Some(Ok(port @ 1..)) => Some(port),
        Some(Ok(0) | Err(_)) => reader.refuse(item, "a port is a number from 1 to 65535"),
        None => reader.wrong_type(item, "a port, which is a number from 1 to 65535"),
    }
}
