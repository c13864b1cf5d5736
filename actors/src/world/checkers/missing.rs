//! What a service says that it waits for is so, when that is other services: it waits for all that it requires and that do not run, and
//! of others only for those that are on their way; and each of them is what is said of it. Who runs has a process.

use mainstay_config::model::{Dependency, Service};
use mainstay_config::names::ServiceName;

use super::{Verdict, View};
use crate::cause::{Listed, Matter, Missing, Reason, Requirement, Standing};
use crate::message::service::{ServiceSnapshot, ServiceStatus, Waiting};

/// Of a service that says so.
pub(super) fn is_true(view: &View<'_>, spec: &Service, said: &Listed<Missing>) -> Verdict {
    let runs = |shown: &ServiceSnapshot| view.environment.trees_of(&shown.name).next().is_some();
    let is_missing = |dependency: &Dependency, shown: &ServiceSnapshot| match dependency {
        Dependency::Required { .. } => !runs(shown),
        // It is not waited for so long.
        Dependency::Optional { .. } => false,
        Dependency::Soft => !runs(shown) && is_coming(shown),
    };
    let shown = |name: &ServiceName| view.shown.services.get(name);
    let all = spec.dependencies.iter().filter(|(name, how)| shown(name).is_some_and(|shown| is_missing(how, shown)));
    let (all, count) = (all.count(), said.first.len() + said.more);
    if all == 0 || all != count {
        return Err(format!("says that it waits for {said:?}, and lacks {all}"));
    }
    let is_so = |missing: &Missing| {
        let (Some(how), Some(shown)) = (spec.dependencies.get(&missing.need), shown(&missing.need)) else {
            return false;
        };
        let is_required = matches!(how, Dependency::Required { .. });
        is_missing(how, shown)
            && is_required == (missing.requirement == Requirement::Required)
            && stands_so(&missing.standing, shown)
    };
    let wrong = said.first.iter().find(|missing| !is_so(missing));
    wrong.map_or(Ok(()), |missing| Err(format!("says that it waits for {missing:?}, which is not so")))
}

/// Whether it will start by itself, with nothing in its way but time.
fn is_coming(shown: &ServiceSnapshot) -> bool {
    let is_coming = |missing: &Missing| matches!(missing.standing, Standing::Coming(_));
    match (&shown.status, &shown.waiting_for) {
        (ServiceStatus::Backoff, _) => true,
        (ServiceStatus::Waiting, Waiting::Needs(missing)) => missing.first.iter().all(is_coming),
        _ => false,
    }
}

/// Whether a service that does not run is what others were told last that it is.
fn stands_so(standing: &Standing, shown: &ServiceSnapshot) -> bool {
    let Some(matter) = standing.matter() else { return false };
    match (matter, &shown.reason, &shown.waiting_for) {
        (Matter::Needs, _, Waiting::Needs(_)) => shown.status == ServiceStatus::Waiting,
        (Matter::Blocked(told), _, Waiting::Leases(is)) => **told == *is,
        (Matter::Restarting(told), Reason::Backoff { failure, .. }, _) => **told == *failure,
        (Matter::Failed(told), Reason::Failed(is), _) => **told == *is,
        (Matter::NotWanted(told), Reason::NotWanted(is), _) => told == is,
        (Matter::Ended(told), Reason::Ended(is), _) => told == is,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::world::World;
    use crate::world::stations::{Draft, assemble};

    #[test]
    fn who_waits_for_a_service_that_runs_is_found_though_that_says_itself_that_it_does_not() {
        let station = assemble(&[], vec![Draft::new("need").autostart_no(), Draft::new("user").requires("need", 15)]);
        let mut world = World::new(&station, 1);
        let run = |world: &mut World| {
            world.run_for(Duration::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
        };
        run(&mut world);
        let [need, user] = ["need", "user"].map(|name| name.parse::<ServiceName>().unwrap());
        let Waiting::Needs(said) = world.shown().services[&user].waiting_for.clone() else { panic!("it waits") };
        assert_eq!(is_true(&View::of(&world), &station.services[&user], &said), Ok(()));
        let says = world.shown().services[&need].clone();
        world.command(&need, crate::world::environment::Command::Start);
        run(&mut world);
        world.shown.services.insert(need, says);
        assert!(is_true(&View::of(&world), &station.services[&user], &said).is_err());
    }
}
