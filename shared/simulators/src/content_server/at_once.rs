//! Calls under way at the same time, for the bound on them. They are counted around everything else, so that whatever
//! makes a call take long counts: its body, the latency, a delay that was injected.

use axum::body::Body;
use axum::middleware::Next;
use http::{Request, Response};

use super::Simulator;
use super::routes;
use super::state::{Arrival, MemberId};
use crate::admin;

/// Marks a request that came while there were enough under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneTooMany;

/// A call under way. It is over too when its caller gives it up.
struct UnderWay {
    simulator: Simulator,
    counted: Option<MemberId>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.simulator.with_state(|state| state.leave(self.counted));
    }
}

/// Counts a call until its answer begins.
pub(super) async fn counted(simulator: Simulator, mut request: Request<Body>, next: Next) -> Response<Body> {
    if request.uri().path().starts_with(admin::PLACE) {
        return next.run(request).await;
    }
    let arrival = simulator.with_state(|state| {
        state.settings.throttle.at_once?;
        let tickets = routes::session::tickets(request.headers());
        let caller = tickets.iter().find_map(|ticket| state.check_ticket(ticket).ok());
        state.arrive(caller.map(|(member, _)| member))
    });
    let _under_way = match arrival {
        Some(Arrival::Counted(counted)) => Some(UnderWay { simulator, counted }),
        Some(Arrival::Refused) => {
            request.extensions_mut().insert(OneTooMany);
            None
        }
        None => None,
    };
    next.run(request).await
}
