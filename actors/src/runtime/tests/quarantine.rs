use super::*;

fn device(rig: &Rig) -> DeviceStatus {
    rig.board.device(&"hackrf".parse().unwrap()).unwrap().snapshot.status
}

async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_device_in_quarantine_stays_there_over_a_panic_and_comes_back_when_its_time_is_over() {
    let rig = begin(STATION);
    for _ in 0..5 {
        seconds(3).await;
        rig.bus.unplug("hackrf").unwrap();
        seconds(3).await;
        rig.bus.plug("hackrf", None).unwrap();
    }
    // Whichever departure was one too many: 30 s of quarantine began with it, at most 15 s ago.
    a_while().await;
    assert_eq!(device(&rig), DeviceStatus::Quarantined);
    rig.panic("device/hackrf");
    seconds(10).await;
    assert_eq!(device(&rig), DeviceStatus::Quarantined);
    assert_eq!(rig.status("openwebrx"), ServiceStatus::Waiting);
    seconds(30).await;
    assert_eq!(device(&rig), DeviceStatus::InUse);
}
