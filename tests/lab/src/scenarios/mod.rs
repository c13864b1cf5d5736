//! The scenarios: each a sentence, a file, and a function that is given a stage.

use anyhow::Result;

use crate::stage::Stage;

/// One of them.
pub(crate) struct Scenario {
    /// Its sentence, with underscores.
    pub(crate) name: &'static str,
    /// Plays it.
    pub(crate) run: fn(&Stage) -> Result<()>,
}

/// Names the scenarios: each has a file of its name with a function `run`.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+
        /// All of them, in the order in which they are played.
        pub(crate) const ALL: &[Scenario] = &[$(Scenario { name: stringify!($name), run: $name::run }),+];
    };
}

scenarios!(
    the_labs_own_hardware_is_taken_for_real,
    with_nothing_plugged_in_every_service_waits_and_says_for_what,
    a_service_comes_and_goes_with_its_hackrf_on_any_port,
    a_hackrf_that_somebody_waited_for_is_asked_what_it_is_once_it_is_free,
    devices_come_and_go_after_the_thread_that_hears_of_them_has_panicked,
    the_real_gpsd_reports_a_fix_and_follows_its_gps_to_another_node,
    of_two_services_that_want_one_hackrf_the_second_waits_for_the_first,
    of_two_sticks_with_one_serial_number_neither_takes_the_others_name,
    of_the_two_ports_of_one_stick_none_is_taken_until_one_is_named,
    a_hackrf_that_drops_out_in_use_is_set_aside_until_the_operator_takes_it_back,
    a_radio_is_in_monitor_mode_while_leased_and_managed_again_afterwards,
    a_radio_that_vanishes_while_leased_takes_its_service_along_until_it_returns,
    a_radio_that_cannot_be_put_back_is_faulted_and_leased_only_once_it_could_be,
    a_radio_whose_driver_is_unloaded_is_leased_again_when_it_is_back,
    dependents_end_before_what_they_depend_on,
    what_escapes_from_a_service_dies_with_it,
    a_device_that_may_not_be_opened_is_faulted_with_the_cure,
    after_fifty_random_events_the_station_is_as_its_hardware_is,
    how_long_it_takes_from_plug_to_start_and_from_unplug_to_stop,
);
