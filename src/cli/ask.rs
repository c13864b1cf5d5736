//! Commands that are one question to the daemon.

use super::Ended;
use super::args::TraceArgs;
use super::output::{Form, print, show};
use crate::client::Client;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::protocol::{Answer, Request, TraceRequest};
use crate::render::{self, Look};

/// `status`.
pub(super) fn status(client: &Client, form: Form) -> Result<(), Ended> {
    match client.ask(&Request::Status)? {
        Answer::Status(view) => show(form, &view, |view| render::status(view, &Look::of_stdout())),
        other => Err(unexpected(other)),
    }
}

/// `devices`.
pub(super) fn devices(client: &Client, form: Form) -> Result<(), Ended> {
    match client.ask(&Request::Devices)? {
        Answer::Devices(view) => show(form, &view, |view| render::devices(view, &Look::of_stdout())),
        other => Err(unexpected(other)),
    }
}

/// `leases`.
pub(super) fn leases(client: &Client, form: Form) -> Result<(), Ended> {
    match client.ask(&Request::Leases)? {
        Answer::Leases(view) => show(form, &view, |view| render::leases(view, &Look::of_stdout())),
        other => Err(unexpected(other)),
    }
}

/// `why NAME`.
pub(super) fn why(client: &Client, name: String, form: Form) -> Result<(), Ended> {
    match client.ask(&Request::Why { name })? {
        Answer::Why(view) => show(form, &view, |view| render::why(view, &Look::of_stdout())),
        other => Err(unexpected(other)),
    }
}

/// `trace`.
pub(super) fn trace(client: &Client, args: TraceArgs) -> Result<(), Ended> {
    let form = if args.json { Form::Json } else { Form::Human };
    let asked = TraceRequest { id: args.id, device: args.device, service: args.service, follow: args.follow };
    let request = Request::Trace(asked);
    if !args.follow {
        return show_trace(client.ask(&request)?, form);
    }
    for (nth, answer) in client.follow(&request)?.enumerate() {
        if nth > 0 && form == Form::Human {
            print("\n")?;
        }
        show_trace(answer?, form)?;
    }
    Err(Told::new(ExitStatus::NoDaemon, "the mainstay daemon has ended").into())
}

fn show_trace(answer: Answer, form: Form) -> Result<(), Ended> {
    match answer {
        Answer::Trace(view) => show(form, &view, |view| render::trace(view, &Look::of_stdout())),
        other => Err(unexpected(other)),
    }
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
