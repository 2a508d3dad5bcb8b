//! One chat template in minijinja, set up as Hugging Face sets up Jinja2: trimmed blocks, no escaping, loop
//! controls, Python's string, list and dict methods, `tojson`, `raise_exception`, `strftime_now` and the
//! `{% generation %}` tags. Templates come from model files and contexts from clients, so both run on a budget.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};

use crate::python_json::tojson;
use crate::traced::traced_variables;

/// What one rendering may use: an instruction costs 1, so does every 64 bytes it makes. It bounds time and memory.
/// One thing escapes it in minijinja 3.1: lists that are doubled more than 32 times by `+`.
const FUEL: u64 = 2_000_000;
/// Values may be nested as deep as the fuel allows, and dropping or printing them recurses: rendering has its own
/// stack. Only what is touched becomes memory.
const STACK_BYTES: usize = 1 << 29;
/// Frames of nested macros, loops and includes; Python gives up at about 1,000.
const RECURSION_LIMIT: usize = 300;

pub type Strftime = Box<dyn Fn(&str) -> String + Send + Sync>;

pub struct Failure {
    pub message: String,
    pub line: usize,
    pub is_limit: bool,
}

impl Failure {
    pub fn new(message: String) -> Failure {
        Failure {
            message,
            line: 0,
            is_limit: false,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let detail = error.detail().map(str::to_owned);
        let message = match (error.kind(), detail) {
            (ErrorKind::OutOfFuel, _) => "the template does too much work".to_owned(),
            (ErrorKind::InvalidOperation, Some(text)) => text,
            (kind, Some(text)) => format!("{kind}: {text}"),
            (kind, None) => kind.to_string(),
        };
        let is_limit = error.kind() == ErrorKind::OutOfFuel;
        Failure {
            message,
            line: error.line().unwrap_or(0),
            is_limit,
        }
    }
}

pub struct Template {
    environment: Environment<'static>,
}

impl Template {
    pub fn new(source: &str, strftime: Strftime) -> Result<Template, Failure> {
        let mut environment = Environment::new();
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()?,
        );
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(RECURSION_LIMIT);
        // Neither is on the budget: one writes the square of a value's depth.
        environment.remove_filter("pprint");
        environment.remove_global("debug");
        environment.add_filter("tojson", tojson);
        environment.add_test("iterable", is_iterable);
        environment.add_function(
            "raise_exception",
            |message: String| -> Result<Value, Error> {
                Err(Error::new(ErrorKind::InvalidOperation, message))
            },
        );
        environment.add_function("strftime_now", move |pattern: String| strftime(&pattern));
        environment.add_template_owned("chat", without_generation_tags(source))?;
        Ok(Template { environment })
    }

    /// `context` is a JSON object; its members are the template's variables.
    pub fn render(&self, context: &str, is_traced: bool) -> Result<String, Failure> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, || self.render_here(context, is_traced))
                .map_err(|e| Failure::new(format!("cannot start a thread to render: {e}")))?;
            thread
                .join()
                .unwrap_or_else(|_| Err(Failure::new("internal error while rendering".into())))
        })
    }

    fn render_here(&self, context: &str, is_traced: bool) -> Result<String, Failure> {
        let variables: serde_json::Value =
            serde_json::from_str(context).map_err(|e| Failure::new(format!("the context: {e}")))?;
        let template = self.environment.get_template("chat")?;
        if is_traced {
            return Ok(template.render(traced_variables(&variables))?);
        }
        Ok(template.render(Value::from(Serde(&variables)))?)
    }
}

/// The engine iterates over None as over an empty list; `tools is iterable` must say no, as Python does.
fn is_iterable(value: &Value) -> bool {
    !value.is_none() && (value.kind() == ValueKind::String || value.try_iter().is_ok())
}

/// Hugging Face marks the assistant's text with `{% generation %}` for training; for a prompt the tags mean
/// nothing. They become an `if true`, so that whitespace control and line numbers stay as they are.
fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, tag_and_more)) = rest.split_once("{%") {
        out.push_str(before);
        out.push_str("{%");
        rest = tag_and_more;
        let Some(length) = rest.find("%}") else { break };
        let is_control = |c: char| c == '-' || c == '+' || c.is_whitespace();
        let replacement = match rest[..length].trim_matches(is_control) {
            "generation" => ("generation", "if true"),
            "endgeneration" => ("endgeneration", "endif"),
            _ => continue,
        };
        out.push_str(&rest[..length].replace(replacement.0, replacement.1));
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}
