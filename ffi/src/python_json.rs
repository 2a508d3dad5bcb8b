//! The `tojson` filter as Hugging Face defines it: Python's json.dumps with ensure_ascii=False by default,
//! no HTML escaping, and json.dumps' own separators, number formats and escapes.

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use crate::traced::{is_mark, TracedMap};

const MAX_DEPTH: usize = 100;
const MAX_INDENT: usize = 16;

struct Style {
    indent: Option<usize>,
    item_separator: String,
    key_separator: String,
    sort_keys: bool,
    ensure_ascii: bool,
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

/// tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False)
pub fn tojson(
    state: &State,
    value: Value,
    ensure_ascii: Option<bool>,
    indent: Option<usize>,
    options: Kwargs,
) -> Result<Value, Error> {
    let indent = options.get::<Option<usize>>("indent")?.or(indent);
    let separators: Option<Vec<String>> = options.get("separators")?;
    let (item_separator, key_separator) = match separators.as_deref() {
        None => (if indent.is_some() { "," } else { ", " }, ": "),
        Some([item, key]) => (item.as_str(), key.as_str()),
        Some(_) => return Err(invalid("tojson: separators must be two strings")),
    };
    let style = Style {
        indent,
        item_separator: item_separator.to_owned(),
        key_separator: key_separator.to_owned(),
        sort_keys: options.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
        ensure_ascii: options
            .get::<Option<bool>>("ensure_ascii")?
            .or(ensure_ascii)
            .unwrap_or(false),
    };
    options.assert_all_used()?;
    if indent.is_some_and(|n| n > MAX_INDENT) {
        return Err(invalid(format!(
            "tojson: indent must be at most {MAX_INDENT}"
        )));
    }
    let mut out = String::new();
    write_value(state, &value, &style, 0, &mut out)?;
    Ok(Value::from(out))
}

fn write_value(
    state: &State,
    value: &Value,
    style: &Style,
    depth: usize,
    out: &mut String,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(invalid(format!("tojson: nested deeper than {MAX_DEPTH}")));
    }
    let start = out.len();
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
        ValueKind::Number => out.push_str(&python_float(f64::try_from(value.clone())?)),
        ValueKind::String => write_string(value.as_str().unwrap_or_default(), style, out),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?;
            write_items(state, ('[', ']'), items, style, depth, out, |item, out| {
                write_value(state, &item, style, depth + 1, out)
            })?;
        }
        ValueKind::Map => {
            let mut keys: Vec<Value> = value.try_iter()?.collect();
            if style.sort_keys {
                keys.sort();
            }
            write_items(
                state,
                ('{', '}'),
                keys.into_iter(),
                style,
                depth,
                out,
                |key, out| {
                    match key.as_str() {
                        Some(text) => write_string(text, style, out),
                        None => {
                            let mut text = String::new();
                            write_value(state, &key, style, MAX_DEPTH, &mut text)?;
                            write_string(&text, style, out);
                        }
                    }
                    out.push_str(&style.key_separator);
                    write_value(state, &value.get_item(&key)?, style, depth + 1, out)
                },
            )?;
        }
        kind => return Err(invalid(format!("tojson: {kind} is not JSON serializable"))),
    }
    if let Some(map) = value.downcast_object_ref::<TracedMap>() {
        let json = out.split_off(start);
        out.push_str(&map.marked(&json));
    }
    state.consume_fuel(1 + ((out.len() - start) / 64) as u64)
}

fn write_items<I: Iterator<Item = Value>>(
    state: &State,
    brackets: (char, char),
    items: I,
    style: &Style,
    depth: usize,
    out: &mut String,
    mut write: impl FnMut(Value, &mut String) -> Result<(), Error>,
) -> Result<(), Error> {
    out.push(brackets.0);
    let mut is_empty = true;
    for item in items {
        if !is_empty {
            out.push_str(&style.item_separator);
            state.consume_fuel(1)?;
        }
        is_empty = false;
        new_line(style, depth + 1, out);
        write(item, out)?;
    }
    if !is_empty {
        new_line(style, depth, out);
    }
    out.push(brackets.1);
    Ok(())
}

fn new_line(style: &Style, depth: usize, out: &mut String) {
    if let Some(indent) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent * depth));
    }
}

fn write_string(text: &str, style: &Style, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || (style.ensure_ascii && c > '~' && !is_mark(c)) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Python's repr of a float: the shortest digits that read back the same, with an exponent outside
/// [1e-4, 1e16).
fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let magnitude = value.abs();
    if value == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return format!("{value:?}");
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
