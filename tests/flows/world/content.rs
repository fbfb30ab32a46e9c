//! What is in the buckets.

use std::collections::BTreeMap;

use super::World;

impl World {
    /// The objects of a bucket, the newest of each key with its bytes.
    pub(crate) async fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let listed = self.place.s3.list_objects_v2().bucket(bucket).send().await.expect("listed");
        let mut objects = BTreeMap::new();
        for key in listed.contents.unwrap_or_default().into_iter().filter_map(|object| object.key) {
            let request = self.place.s3.get_object().bucket(bucket).key(&key);
            let body = request.send().await.expect("it is there").body.collect().await.expect("whole");
            objects.insert(key, body.to_vec());
        }
        objects
    }

    /// The keys in the content bucket.
    pub(crate) async fn kept(&self) -> Vec<String> {
        let request = self.place.s3.list_objects_v2().bucket(&self.place.content);
        let listed = request.send().await.expect("listed").contents.unwrap_or_default();
        listed.into_iter().filter_map(|object| object.key).collect()
    }

    /// The reasons of what was put aside: the JSON files beside the objects.
    pub(crate) async fn reasons(&self) -> Vec<serde_json::Value> {
        let objects = self.objects(&self.place.quarantine).await;
        let files = objects.into_iter().filter(|(key, _)| key.ends_with(".reason.json"));
        files.map(|(_, bytes)| serde_json::from_slice(&bytes).expect("a reason is JSON")).collect()
    }
}
