//! What follows when an actor panics, or was asked to.

use std::panic::catch_unwind;

use mainstay_hardware::watched::{self, Lost, Panicked};

use super::Stage;
use crate::engine::{Fallen, Fate, Letter, Place};
use crate::message::supervision::RootMessage;
use crate::message::{Action, ActorId, Address, Message, OperatorAnswer, Outcome, Outside, Reply};
#[cfg(any(debug_assertions, test))]
use crate::trace::ExternalCause;
use crate::trace::{Cause, MessageId};

impl Stage {
    /// An actor has panicked: it is said who restarts whom, and written down.
    pub(super) fn fallen(&self, cause: Cause, fallen: Fallen) {
        let exit = fallen.exit();
        let Fallen { actor, supervisor, words, fate } = fallen;
        tracing::error!(%actor, panic = words, "an actor panicked");
        let above: Address = supervisor.map_or(Outside::Start.into(), Into::into);
        let died = || format!("{actor} panicked: {words}").into();
        let cause = self.note(cause, (actor.clone().into(), above.clone()), "Died", &died);
        if let Fate::Restart(whom) = fate {
            self.down.borrow_mut().retain(|actor| !whom.contains(actor));
            self.down.borrow_mut().extend(whom.iter().cloned());
            for actor in whom {
                let restart = || format!("restart {actor}").into();
                self.note(cause, (above.clone(), actor.clone().into()), "RestartActor", &restart);
            }
        }
        if let Some(exit) = exit {
            self.act(cause, &ActorId::Root, Action::Exit(exit));
        }
        self.alarm.set(self.next_due());
    }

    /// What hosts a machine has panicked, and not the machine: what it was at is half done.
    pub(in crate::runtime) fn host_lost(&self, place: Place, words: &str) {
        let part = self.engine.borrow().actor(place).map_or_else(|| "root".to_owned(), |actor| actor.to_string());
        self.part_is_lost(&part, words);
    }

    /// Something has panicked that is not begun anew.
    pub(super) fn part_is_lost(&self, part: &str, words: &str) {
        let how = Panicked::Once(words.to_owned());
        self.end(Lost { part: part.to_owned(), how }.into());
    }

    /// An actor has panicked over a message, which is not delivered again: whoever waits for an answer to it is told.
    pub(super) fn answer_for_the_dead(&self, actor: &ActorId, message: MessageId, cause: Cause) {
        let answers = self.answers.borrow();
        let asked = answers.iter().find(|(_, waiting)| waiting.message == message).map(|(request, _)| *request);
        drop(answers);
        if let Some(request) = asked {
            let said = Reply::Panicked(actor.clone());
            self.answer(cause, OperatorAnswer { request, outcome: Outcome::Panicked, said });
        }
    }

    /// Takes an actor for one that panicked; whether there is such an actor.
    #[cfg(any(debug_assertions, test))]
    pub(in crate::runtime) fn poison(&self, actor: &ActorId) -> bool {
        let Some(place) = self.engine.borrow().place(actor) else { return false };
        let words = "asked to panic".to_owned();
        let external = ExternalCause::ActorPanicked(actor.clone(), words.clone());
        let cause = self.recorder().begin(self.now(), external);
        let fallen = self.engine.borrow_mut().fall(place, self.now(), cause, words);
        self.fallen(cause, fallen);
        true
    }

    /// Whether there is such an actor.
    #[cfg(debug_assertions)]
    pub(in crate::runtime) fn has(&self, actor: &ActorId) -> bool {
        self.engine.borrow().place(actor).is_some()
    }

    /// Handles something as this actor, and never returns from it.
    #[cfg(debug_assertions)]
    pub(in crate::runtime) fn freeze(&self, actor: &ActorId) {
        let _handling = self.watchdog.handling(actor, "Freeze");
        while self.has(actor) {
            std::thread::park();
        }
    }
}

/// Whether the root was told to panic over the next word that mainstay should end, as only a debug build can be.
pub(super) fn is_meant(letter: &Letter) -> bool {
    let told = || catch_unwind(|| watched::perhaps_panic("close")).is_err();
    matches!(letter.message, Message::Root(RootMessage::Close | RootMessage::Hurry)) && told()
}
