//! What operators ask, carried to the actors and answered.

use std::rc::Rc;

use mainstay_actors::effect::watched;
#[cfg(debug_assertions)]
use mainstay_actors::message::ActorId;
use mainstay_actors::message::device::DeviceMessage;
use mainstay_actors::message::service::ServiceMessage;
use mainstay_actors::message::{Message, Outcome, RequestId};
use mainstay_actors::runtime::{Answer as Promise, System};
use mainstay_actors::view::words;
use mainstay_config::names::ServiceName;
use mainstay_hardware::simulated::SimulatedBus;

use super::ANSWER_WITHIN;
use super::station::{Command, Meant, unknown_name};
use crate::protocol::{Answer, ErrorCode, Request};

/// Attends to one request, beside everything else.
pub(super) fn attend(system: Rc<System>, simulated: Option<SimulatedBus>, command: Command) {
    watched::serve_here("operator", async move {
        let Command { request, answer } = command;
        // Whoever asked may have gone.
        let _ = answer.send(carry_out(&system, simulated.as_ref(), request).await);
    });
}

async fn carry_out(system: &Rc<System>, simulated: Option<&SimulatedBus>, request: Request) -> Answer {
    match request {
        Request::Start { services, needs } => {
            to_services(system, &services, |id| ServiceMessage::Start(id, needs)).await
        }
        Request::Stop { services } => to_services(system, &services, ServiceMessage::Stop).await,
        Request::Restart { services, attempts } => {
            to_services(system, &services, |id| ServiceMessage::Restart(id, attempts)).await
        }
        Request::Eject { device } => to_device(system, &device, DeviceMessage::Eject).await,
        Request::Admit { device } => to_device(system, &device, DeviceMessage::Admit).await,
        Request::Plug { device, port } => plug(simulated, &device, port.as_deref()),
        Request::Unplug { device } => unplug(simulated, &device),
        Request::Panic { actor } => panic(system, &actor),
        Request::Freeze { actor } => freeze(system, &actor),
        // These are answered from the board and never come here.
        Request::Status
        | Request::Devices
        | Request::Leases
        | Request::Why { .. }
        | Request::Trace(_)
        | Request::Logs { .. } => Answer::error(ErrorCode::BadRequest, "this is not for the actors", None),
    }
}

/// Tells several services the same. Nothing is done when one of them does not exist.
async fn to_services(system: &System, names: &[String], message: impl Fn(RequestId) -> ServiceMessage) -> Answer {
    let mut services: Vec<ServiceName> = Vec::new();
    for name in names {
        match system.service(name) {
            Some(service) => services.push(service),
            None => return Answer::Error(unknown_name(system.station(), name, Meant::Services)),
        }
    }
    let (mut said, mut trace) = (Vec::new(), None);
    for service in services {
        let promise = system.operator(|id| Message::Service(service.clone(), message(id)));
        match answered(system, promise).await {
            Ok((words, number)) => {
                said.push(words);
                trace = trace.or(number);
            }
            Err(answer) => return with_before(said, answer),
        }
    }
    Answer::Done { said, trace }
}

async fn to_device(system: &System, name: &str, message: impl FnOnce(RequestId) -> DeviceMessage) -> Answer {
    let Some(device) = system.device(name) else {
        return Answer::Error(unknown_name(system.station(), name, Meant::Devices));
    };
    let promise = system.operator(|id| Message::Device(device.clone(), message(id)));
    match answered(system, promise).await {
        Ok((words, trace)) => Answer::Done { said: vec![words], trace },
        Err(answer) => answer,
    }
}

/// Waits for an actor's answer.
async fn answered(system: &System, promise: Promise) -> Result<(String, Option<u64>), Answer> {
    let late = || Answer::error(ErrorCode::Busy, "the actor did not answer", "see `mainstay trace`, and try again");
    match tokio::time::timeout(ANSWER_WITHIN, promise).await {
        Ok(Ok((answer, cause))) if answer.outcome == Outcome::Handled => {
            Ok((system.words(&answer.said), Some(cause.trace.0)))
        }
        Ok(Ok((answer, _))) => {
            let help = words::reply_help(&answer.said);
            Err(Answer::error(ErrorCode::Refused, system.words(&answer.said), help.as_deref()))
        }
        Ok(Err(_)) | Err(_) => Err(late()),
    }
}

/// What was done before something was refused belongs to the answer.
fn with_before(said: Vec<String>, answer: Answer) -> Answer {
    match answer {
        Answer::Error(mut refused) if !said.is_empty() => {
            refused.message = format!("{} (done before that: {})", refused.message, said.join("; "));
            Answer::Error(refused)
        }
        answer => answer,
    }
}

fn plug(simulated: Option<&SimulatedBus>, device: &str, port: Option<&str>) -> Answer {
    let Some(bus) = simulated else { return not_in_demo() };
    let path = match port.map(str::parse).transpose() {
        Ok(path) => path,
        Err(wrong) => {
            return Answer::error(ErrorCode::Refused, format!("{device} cannot be plugged there: {wrong}"), None);
        }
    };
    match bus.plug(device, path) {
        Ok(()) => {
            done(format!("{device} is plugged in{}", port.map_or_else(String::new, |port| format!(" on USB {port}"))))
        }
        Err(wrong) => hardware_error(bus, device, &wrong),
    }
}

fn unplug(simulated: Option<&SimulatedBus>, device: &str) -> Answer {
    let Some(bus) = simulated else { return not_in_demo() };
    match bus.unplug(device) {
        Ok(()) => done(format!("{device} is unplugged")),
        Err(wrong) => hardware_error(bus, device, &wrong),
    }
}

fn hardware_error(bus: &SimulatedBus, device: &str, wrong: &mainstay_hardware::error::Error) -> Answer {
    let names: Vec<String> = bus.list().into_iter().map(|listed| listed.name).collect();
    if names.iter().any(|name| name == device) {
        return Answer::error(ErrorCode::Refused, wrong.to_string(), None);
    }
    let help = format!("the demo has {}", names.join(", "));
    Answer::error(ErrorCode::UnknownName, format!("there is no simulated device `{device}`"), &*help)
}

#[cfg(debug_assertions)]
fn panic(system: &System, actor: &str) -> Answer {
    if watched::PARTS.contains(&actor) {
        watched::poison(actor);
        return done(format!("{actor} was told to panic; a thread does so with the next thing it does"));
    }
    let poisoned = actor_of(system, actor).map(|id| system.poison(&id));
    poisoned.map_or_else(Answer::Error, |_| done(format!("{actor} was told to panic")))
}

/// Once this is answered, nothing more is.
#[cfg(debug_assertions)]
fn freeze(system: &Rc<System>, actor: &str) -> Answer {
    let id = match actor_of(system, actor) {
        Ok(id) => id,
        Err(unknown) => return Answer::Error(unknown),
    };
    let system = Rc::clone(system);
    watched::serve_here("operator", async move { system.freeze(&id) });
    done(format!("{actor} was told never to return"))
}

#[cfg(debug_assertions)]
fn actor_of(system: &System, actor: &str) -> Result<ActorId, crate::protocol::ErrorAnswer> {
    let id: Result<ActorId, mainstay_actors::message::NoSuchActor> = actor.parse();
    let message = match id {
        Ok(id) if system.has(&id) => return Ok(id),
        Ok(_) => format!("there is no actor `{actor}`"),
        Err(wrong) => wrong.to_string(),
    };
    let help = format!("threads and tasks that can be told to panic: {}", watched::PARTS.join(", "));
    Err(crate::protocol::ErrorAnswer::new(ErrorCode::UnknownName, message, &*help))
}

#[cfg(not(debug_assertions))]
fn panic(_system: &System, _actor: &str) -> Answer {
    Answer::error(ErrorCode::Refused, "only a debug build can be told to panic", None)
}

#[cfg(not(debug_assertions))]
fn freeze(_system: &Rc<System>, _actor: &str) -> Answer {
    Answer::error(ErrorCode::Refused, "only a debug build can be told to freeze", None)
}

fn not_in_demo() -> Answer {
    let help = "plug real hardware by hand, or try `mainstay run --demo`";
    Answer::error(ErrorCode::NotInDemo, "only the demo has hardware that can be plugged by command", help)
}

fn done(words: String) -> Answer {
    Answer::Done { said: vec![words], trace: None }
}
