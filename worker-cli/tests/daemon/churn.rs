//! Many who start and stop the same slots at once.

use tokio::task::JoinSet;
use worker_cli::api::{StartRequest, State, StopRequest};
use worker_cli::client::block_on;
use worker_cli::error::{Code, Failure};

use crate::shop::{Shop, env, full, with_variable};

const SLOTS: usize = 4;
const REQUESTS: usize = 1000;

#[test]
fn a_thousand_starts_and_stops_at_once_leave_each_slot_one_tree_at_a_time() {
    // Whoever runs beside another run of the slot finds the lock taken, and fails.
    let slot = |number| {
        format!(
            "[slots.s{number}]\ncommand = [\"flock\", \"-n\", \"-E\", \"77\", \"lock{number}\", \"sleep\", \"1000\"]\n"
        )
    };
    let shop = Shop::new(&(0..SLOTS).map(slot).collect::<String>());
    let tag = shop.scene.scratch().display().to_string();
    let env = env(&[("TAG", &tag)]);
    let request = StartRequest { env: Some(env), ..shop.start_request() };
    let outcomes: Vec<Result<(), Failure>> = block_on(async {
        let mut asking = JoinSet::new();
        for number in 0..REQUESTS {
            let (client, request) = (shop.client.clone(), request.clone());
            let slot = full(&format!("s{}", number % SLOTS));
            asking.spawn(async move {
                match number / SLOTS % 5 {
                    0 | 2 => client.start(&slot, &request).await,
                    4 => client.restart(&slot, &request).await,
                    _ => match client.stop(&slot, StopRequest::default()).await {
                        // Nobody has started it yet.
                        Err(failure) if failure.code == Code::NoSuchSlot => return Ok(()),
                        stopped => stopped,
                    },
                }
                .map(drop)
            });
        }
        Ok(asking.join_all().await)
    })
    .unwrap();
    for failure in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(failure.code, Code::Cancelled, "{failure}");
    }
    for number in 0..SLOTS {
        let slot = format!("s{number}");
        assert_eq!(shop.stop(&slot).state, State::Stopped);
        let deaths = shop.why(&slot).deaths;
        assert!(!deaths.is_empty(), "it ran");
        let failed: Vec<_> = deaths.iter().filter(|death| death.failure).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
    assert_eq!(with_variable(&format!("TAG={tag}")), [] as [i32; 0]);
}
