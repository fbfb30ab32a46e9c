//! Secrets: the current value, the one before, and none.

use crate::side::{Side, refusal};

crate::contract![a_secret_has_a_current_and_a_previous_value];

async fn a_secret_has_a_current_and_a_previous_value(side: Side) {
    let name = side.name("secret");
    let read = || side.secrets.get_secret_value().secret_id(&name);
    assert_eq!(refusal(read().send().await), "ResourceNotFoundException");
    let made = side.secrets.create_secret().name(&name).secret_string("one").send().await.unwrap();
    let again = side.secrets.create_secret().name(&name).secret_string("one").send().await;
    assert_eq!(refusal(again), "ResourceExistsException");
    side.secrets.put_secret_value().secret_id(&name).secret_string("two").send().await.unwrap();
    assert_eq!(read().send().await.unwrap().secret_string(), Some("two"));
    let previous = read().version_stage("AWSPREVIOUS").send().await.unwrap();
    assert_eq!(previous.secret_string(), Some("one"));
    let by_arn = side.secrets.get_secret_value().secret_id(made.arn().unwrap()).send().await.unwrap();
    assert_eq!((by_arn.secret_string(), by_arn.name()), (Some("two"), Some(name.as_str())));
    assert_eq!(refusal(read().version_stage("AWSPENDING").send().await), "ResourceNotFoundException");
}
