//! The C interface of the one Rust library in twostroke: chat templates (this file and its modules) and
//! grammar masks (llguidance brings its own C functions, kept alive by the re-export below).
//! include/twostroke_ffi.h declares what is here; nothing unwinds across it.

mod python_json;
mod template;
mod traced;

use std::ffi::{c_char, c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

pub use llguidance::ffi as llguidance_c_api;
use template::{Failure, Strftime, Template};

/// Text owned by this library: `data` is not NUL-terminated and goes back through ts_text_free.
#[repr(C)]
pub struct TsText {
    data: *mut u8,
    length: usize,
    /// For an error: the line of the template it happened in, or 0.
    line: usize,
}

impl TsText {
    fn new(text: String, line: usize) -> TsText {
        let bytes = text.into_bytes().into_boxed_slice();
        let length = bytes.len();
        TsText {
            data: Box::into_raw(bytes).cast(),
            length,
            line,
        }
    }
}

type StrftimeFn = unsafe extern "C" fn(*mut c_void, *const u8, usize, *mut c_char, usize) -> usize;

struct ForeignClock {
    format: StrftimeFn,
    user: *mut c_void,
}
// SAFETY: the header asks for a thread-safe callback.
unsafe impl Send for ForeignClock {}
unsafe impl Sync for ForeignClock {}

impl ForeignClock {
    fn into_strftime(self) -> Strftime {
        Box::new(move |pattern: &str| {
            let clock = &self;
            let mut buffer = [0u8; 512];
            // SAFETY: the callback writes at most the given capacity and returns how much it wrote.
            let written = unsafe {
                (clock.format)(
                    clock.user,
                    pattern.as_ptr(),
                    pattern.len(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                )
            };
            String::from_utf8_lossy(&buffer[..written.min(buffer.len())]).into_owned()
        })
    }
}

unsafe fn utf8<'a>(data: *const u8, length: usize, what: &str) -> Result<&'a str, Failure> {
    let bytes = if length == 0 {
        &[][..]
    } else {
        std::slice::from_raw_parts(data, length)
    };
    std::str::from_utf8(bytes)
        .map_err(|e| Failure::new(format!("{what} is not UTF-8 at byte {}", e.valid_up_to())))
}

fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Failure::new("internal error in the template engine".into())))
}

/// # Safety
/// As include/twostroke_ffi.h says: `source` has `length` bytes, `error` is writable.
#[no_mangle]
pub unsafe extern "C" fn ts_template_new(
    source: *const u8,
    length: usize,
    format: StrftimeFn,
    user: *mut c_void,
    error: *mut TsText,
) -> *mut Template {
    let clock = ForeignClock { format, user };
    match guarded(|| Template::new(utf8(source, length, "the template")?, clock.into_strftime())) {
        Ok(template) => Box::into_raw(Box::new(template)),
        Err(failure) => {
            *error = TsText::new(failure.message, failure.line);
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// As include/twostroke_ffi.h says: `template` is alive, `context` has `length` bytes, `result` is writable.
#[no_mangle]
pub unsafe extern "C" fn ts_template_render(
    template: *const Template,
    context: *const u8,
    length: usize,
    is_traced: c_int,
    result: *mut TsText,
) -> c_int {
    match guarded(|| (*template).render(utf8(context, length, "the context")?, is_traced != 0)) {
        Ok(text) => {
            *result = TsText::new(text, 0);
            1
        }
        Err(failure) => {
            let code = if failure.is_limit { -1 } else { 0 };
            *result = TsText::new(failure.message, failure.line);
            code
        }
    }
}

/// # Safety
/// `template` came from ts_template_new and is not used again; null is allowed.
#[no_mangle]
pub unsafe extern "C" fn ts_template_free(template: *mut Template) {
    if !template.is_null() {
        let _ = guarded(|| {
            drop(Box::from_raw(template));
            Ok(())
        });
    }
}

/// # Safety
/// `text` came from this library and is not used again; an all-zero one is allowed.
#[no_mangle]
pub unsafe extern "C" fn ts_text_free(text: TsText) {
    if !text.data.is_null() {
        drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(
            text.data,
            text.length,
        )));
    }
}
