//! Commands that are one question to the daemon.

use super::Ended;
use super::args::TraceArgs;
use super::output::{Form, print, show};
use crate::client::Client;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::protocol::{Answer, Request, TraceRequest};
use crate::render::{self, Look};

/// Shows an answer of this kind. Any other is none to what was asked.
macro_rules! show_as {
    ($kind:ident, $render:path, $answer:expr, $form:expr) => {
        match $answer {
            Answer::$kind(view) => show($form, &view, |view| $render(view, &Look::of_stdout())),
            other => Err(unexpected(other)),
        }
    };
}

/// `status`.
pub(super) fn status(client: &Client, form: Form) -> Result<(), Ended> {
    show_as!(Status, render::status, client.ask(&Request::Status)?, form)
}

/// `devices`.
pub(super) fn devices(client: &Client, form: Form) -> Result<(), Ended> {
    show_as!(Devices, render::devices, client.ask(&Request::Devices)?, form)
}

/// `leases`.
pub(super) fn leases(client: &Client, form: Form) -> Result<(), Ended> {
    show_as!(Leases, render::leases, client.ask(&Request::Leases)?, form)
}

/// `why NAME`.
pub(super) fn why(client: &Client, name: String, form: Form) -> Result<(), Ended> {
    show_as!(Why, render::why, client.ask(&Request::Why { name })?, form)
}

/// `trace`.
pub(super) fn trace(client: &Client, args: TraceArgs) -> Result<(), Ended> {
    let form = if args.json { Form::Json } else { Form::Human };
    let asked = TraceRequest { id: args.id, device: args.device, service: args.service, follow: args.follow };
    let request = Request::Trace(asked);
    if !args.follow {
        return show_as!(Trace, render::trace, client.ask(&request)?, form);
    }
    for (nth, answer) in client.follow(&request)?.enumerate() {
        if nth > 0 && form == Form::Human {
            print("\n")?;
        }
        show_as!(Trace, render::trace, answer?, form)?;
    }
    Err(Told::new(ExitStatus::NoDaemon, "the mainstay daemon has ended").into())
}

/// Commands that change something: `request` is what the command line asks for.
pub(super) fn operate(client: &Client, request: &Request) -> Result<(), Ended> {
    match client.ask(request)? {
        Answer::Done { said, trace } => print(&render::done(&said, trace, &Look::of_stdout())),
        other => Err(unexpected(other)),
    }
}

/// An error of the daemon, or an answer to another question.
pub(super) fn unexpected(answer: Answer) -> Ended {
    match answer {
        Answer::Error(error) => Told::from(error).into(),
        _ => Told::new(ExitStatus::Failed, "the mainstay daemon answered another question than was asked")
            .help("use the version of mainstay that the daemon was started from: restart it after an upgrade")
            .into(),
    }
}
