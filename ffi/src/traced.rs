//! Values that remember where they came from, for the anatomy of a prompt. A rendering with them must give the
//! plain rendering's text, with letters replaced by marks: code points that say which part of the request a
//! letter came from. Strings bring their marks along (the caller put them there); a map brings the mark of its
//! part, which `tojson` gives to what it writes of it: keys, quotes, brackets.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, Value};
use serde_json::Value as Json;

/// Parts of a request: include/twostroke_ffi.h has the same numbers.
const PART_MARKS: u32 = 0xF0000;
const MAX_PARTS: u32 = 4096;
const TOOLS: u32 = 0;
const VARIABLES: u32 = 1;
const FIRST_MESSAGE: u32 = 2; // and every second one after it
const FIRST_DOCUMENT: u32 = 3;

fn mark_of_part(part: u32) -> Option<char> {
    if part >= MAX_PARTS {
        return None;
    }
    char::from_u32(PART_MARKS + part)
}

pub fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x40000..=0xDFFFF | 0xF0000..=0x10FFFF)
}

/// A map that came from one part of the request. To templates it is a map like any other.
pub struct TracedMap {
    pairs: Vec<(Value, Value)>,
    mark: char,
}

impl fmt::Debug for TracedMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in &self.pairs {
            map.entry(key, value);
        }
        map.finish()
    }
}

impl Object for TracedMap {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let found = self.pairs.iter().find(|(own, _)| own == key);
        found.map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.pairs.iter().map(|(key, _)| key.clone()).collect())
    }
}

impl TracedMap {
    /// What `tojson` wrote of this map, with marks instead of all but white space.
    pub fn marked(&self, json: &str) -> String {
        let mut current = self.mark;
        json.chars()
            .map(|c| {
                if is_mark(c) {
                    current = c;
                }
                if c.is_whitespace() {
                    c
                } else {
                    current
                }
            })
            .collect()
    }
}

fn value_of(json: &Json, mark: Option<char>) -> Value {
    match json {
        Json::Array(items) => items.iter().map(|item| value_of(item, mark)).collect(),
        Json::Object(members) => {
            let pairs = members
                .iter()
                .map(|(key, value)| (Value::from(key.as_str()), value_of(value, mark)));
            match mark {
                Some(mark) => Value::from_object(TracedMap {
                    pairs: pairs.collect(),
                    mark,
                }),
                None => Value::from_pairs(pairs),
            }
        }
        other => Value::from(minijinja::value::Serde(other)),
    }
}

fn list_of(json: &Json, first_part: u32) -> Value {
    let Json::Array(items) = json else {
        return value_of(json, mark_of_part(first_part));
    };
    let traced = items.iter().enumerate().map(|(i, item)| {
        let part = u32::try_from(i).ok().and_then(|i| i.checked_mul(2));
        value_of(item, part.and_then(|i| mark_of_part(first_part + i)))
    });
    traced.collect()
}

/// The template's variables, with maps that know their part.
pub fn traced_variables(context: &Json) -> Value {
    let Json::Object(members) = context else {
        return Value::from(minijinja::value::Serde(context));
    };
    let pairs = members.iter().map(|(name, value)| {
        let traced = match name.as_str() {
            "messages" => list_of(value, FIRST_MESSAGE),
            "documents" => list_of(value, FIRST_DOCUMENT),
            "tools" => value_of(value, mark_of_part(TOOLS)),
            _ => value_of(value, mark_of_part(VARIABLES)),
        };
        (Value::from(name.as_str()), traced)
    });
    Value::from_pairs(pairs)
}
