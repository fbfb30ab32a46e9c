//! Metadata, states and locks.

use std::time::Duration;

use shared::{
    error::FailureClass,
    otmm::{
        AssetId, EditingSettings, Load, LockStrategy, LookupForm, MetadataChange, NewValue, Row, Settings,
        TableChange, TableId,
    },
};
use simulators::{
    faults::{Action, Rule},
    otmm::{
        self as simulator, seed,
        settings::{EditAnswer, EmptyValue, Unknown},
    },
};

use crate::world::{asset, calls, client_as, field, ours, seeded, site, site_with};

fn event(what: &str) -> MetadataChange {
    let row: Row = [
        (field(seed::EVENT_DATE), NewValue::Date("2031-05-06T07:00:00Z".parse().unwrap())),
        (field(seed::EVENT_TYPE), NewValue::Text(what.to_owned())),
    ]
    .into();
    MetadataChange::new()
        .table(&TableId::new(seed::EVENTS), TableChange::Append { row, key: field(seed::EVENT_TYPE) })
}

fn all_kinds() -> MetadataChange {
    MetadataChange::new()
        .text(&field(seed::ARCHIVE_ID), "archive-1")
        .set(&field(seed::RETAIN_UNTIL), NewValue::Date("2050-01-01T00:00:00Z".parse().unwrap()))
        .set(&field(seed::USES), NewValue::Number("7".to_owned()))
        .set(&field(seed::STATUS), NewValue::Lookup("rejected".to_owned()))
        .clear(&field(seed::DESCRIPTION))
}

#[tokio::test(start_paused = true)]
async fn values_of_every_kind_are_written_and_tables_grow_by_a_row_once() {
    for answer in [EditAnswer::Empty, EditAnswer::NoContent, EditAnswer::Asset] {
        for empty in [EmptyValue::Absent, EmptyValue::Hollow] {
            for single in [false, true] {
                for form in [LookupForm::Key, LookupForm::DomainValue] {
                    let mut settings = simulator::Settings::default();
                    settings.edits.answer = answer;
                    settings.wire.empty_value = empty;
                    settings.wire.single_as_object = single;
                    let editing = EditingSettings { lookup_form: form, ..EditingSettings::default() };
                    let (simulator, client) = site_with(settings, Settings { editing, ..ours() });
                    let spot = seeded(&simulator, "spring-spot.mov");
                    let after = client.update_metadata(&spot, &all_kinds(), None).await.unwrap();
                    let metadata = after.metadata.unwrap();
                    assert_eq!(metadata.text(&field(seed::USES)), Some("7"));
                    assert_eq!(metadata.get(&field(seed::DESCRIPTION)), None);
                    let status = metadata.get(&field(seed::STATUS)).unwrap();
                    assert_eq!(
                        (status.text.as_str(), status.display.as_deref()),
                        ("rejected", Some("Rejected"))
                    );
                    client.update_metadata(&spot, &event("archived"), None).await.unwrap();
                    let after = client.update_metadata(&spot, &event("archived"), None).await.unwrap();
                    let metadata = after.metadata.unwrap();
                    let table = metadata.table(&TableId::new(seed::EVENTS)).unwrap();
                    assert_eq!(table.rows(), Some(2), "the row that was there, and the new one once");
                    assert_eq!(table.cell(1, &field(seed::EVENT_TYPE)).unwrap().text, "archived");
                    assert_eq!(table.cell(1, &field(seed::EVENT_DETAIL)), None);
                    let read = client.get_asset(&spot, Load::State).await.unwrap();
                    assert!(!read.is_locked, "nothing is left locked");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_optimistic_write_takes_no_lock_where_the_site_allows_it_and_is_told_where_not() {
    for allowed in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.edits.optimistic_assets = allowed;
        let editing = EditingSettings { strategy: LockStrategy::Optimistic, ..EditingSettings::default() };
        let (simulator, client) = site_with(settings, Settings { editing, ..ours() });
        let spot = seeded(&simulator, "spring-spot.mov");
        let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
        let outcome = client.update_metadata(&spot, &change, None).await;
        assert_eq!(
            outcome.map(drop).map_err(|error| error.code()),
            if allowed { Ok(()) } else { Err("otmm.locked") }
        );
        assert_eq!(calls(&simulator, "PUT", "/state"), 0);
        client.update_metadata(&spot, &event("archived"), None).await.unwrap();
        assert_eq!(calls(&simulator, "PUT", "/state"), 2, "a table is locked all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_is_written_too() {
    let (simulator, client) = site(simulator::Settings::default());
    let folder = seeded(&simulator, "Spring 2030");
    let name = MetadataChange::new().text(&field(seed::NAME), "Spring");
    let after = client.update_metadata(&folder, &name, None).await;
    match after {
        Ok(folder) => assert_eq!(folder.name, "Spring"),
        // A model without the name among its fields cannot be read back.
        Err(error) => assert_eq!(error.code(), "otmm.metadata-not-written", "{error:?}"),
    }
    assert_eq!(calls(&simulator, "PATCH", "/folders/"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_site_does_not_know_is_refused_or_noticed_never_taken_for_done() {
    let unknown = MetadataChange::new().text(&field("CUSTOM.FIELD.NO SUCH"), "x");
    let lookup = MetadataChange::new().set(&field(seed::STATUS), NewValue::Lookup("no such".to_owned()));
    for (ours, code) in
        [(Unknown::Refused, "otmm.business-error"), (Unknown::Ignored, "otmm.metadata-not-written")]
    {
        let mut settings = simulator::Settings::default();
        (settings.edits.unknown_field, settings.edits.unknown_lookup) = (ours, ours);
        let (simulator, client) = site(settings);
        let spot = seeded(&simulator, "spring-spot.mov");
        for change in [&unknown, &lookup] {
            let error = client.update_metadata(&spot, change, None).await.unwrap_err();
            let expected =
                if error.code() == "otmm.metadata-changed" { "otmm.metadata-changed" } else { code };
            assert_eq!(
                (
                    error.class() == FailureClass::Forbidden || error.class() == FailureClass::Conflict,
                    error.code()
                ),
                (true, expected)
            );
            assert!(!client.get_asset(&spot, Load::State).await.unwrap().is_locked);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_name_for_a_kind_of_value_is_refused_with_the_field_named() {
    let mut ours = ours();
    ours.types.date = "date".to_owned();
    let (simulator, client) = site_with(simulator::Settings::default(), ours);
    let poster = seeded(&simulator, "spring-poster.tif");
    let until = NewValue::Date("2050-01-01T00:00:00Z".parse().unwrap());
    let change = MetadataChange::new().set(&field(seed::RETAIN_UNTIL), until.clone());
    let error = client.update_metadata(&poster, &change, None).await.unwrap_err();
    assert!(error.message().contains(seed::RETAIN_UNTIL), "{error}");
    // A value that is there keeps the name it was read with.
    let spot = seeded(&simulator, "spring-spot.mov");
    client.update_metadata(&spot, &change, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_site_that_clears_what_is_not_named_is_noticed_and_it_is_put_back() {
    let mut settings = simulator::Settings::default();
    settings.edits.unnamed_fields_stay = false;
    settings.edits.uneven_columns = Unknown::Stored;
    let (simulator, client) = site(settings);
    let spot = seeded(&simulator, "spring-spot.mov");
    let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
    let error = client.update_metadata(&spot, &change, None).await.unwrap_err();
    assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.metadata-replaced"));
    let after = asset(&simulator, &client, "spring-spot.mov").await;
    assert_eq!(after.metadata.unwrap().text(&field(seed::STATUS)), Some("approved"), "put back");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_holds_is_waited_for_and_said_whatever_the_status() {
    for status in [500, 409, 423] {
        let mut settings = simulator::Settings::default();
        settings.edits.lock_conflict_status = status;
        let (simulator, client) = site(settings);
        let editor = client_as(&simulator, seed::EDITOR);
        let spot = seeded(&simulator, "spring-spot.mov");
        editor.lock(&spot).await.unwrap();
        let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
        let error = client.update_metadata(&spot, &change, None).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "otmm.locked"), "{status}");
        let (outcome, ()) = tokio::join!(client.update_metadata(&spot, &change, None), async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            editor.unlock(&spot).await.unwrap();
        });
        outcome.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn two_processes_of_one_user_lose_nothing_of_what_the_other_writes() {
    // Each call takes its time, so that the calls of the two fall between one another; and any of them takes longer than
    // all others of the other, so that each stands still at any point while the other goes on.
    let mut done_by_both = 0;
    for standing in (0..=18).flat_map(|call| [15, 45, 500].map(|milliseconds| (call, milliseconds))) {
        let settings = simulator::Settings { latency_milliseconds: 10, ..simulator::Settings::default() };
        let (simulator, one) = site(settings);
        let other = client_as(&simulator, seed::INTEGRATION);
        let spot = seeded(&simulator, "spring-spot.mov");
        one.login().await.unwrap();
        other.login().await.unwrap();
        let (call, milliseconds) = standing;
        if call > 0 {
            simulator.faults().add(Rule::next(Action::Delay { milliseconds }).call(call)).unwrap();
        }
        let (of_one, of_other) = (event("one"), event("two"));
        let (first, second) = tokio::join!(
            one.update_metadata(&spot, &of_one, None),
            other.update_metadata(&spot, &of_other, None)
        );
        let after = one.get_asset(&spot, Load::Metadata).await.unwrap();
        assert!(!after.is_locked, "{standing:?}");
        let metadata = after.metadata.unwrap();
        let table = metadata.table(&TableId::new(seed::EVENTS)).unwrap();
        let rows = table.rows().unwrap();
        let types: Vec<_> =
            (0..rows).map(|row| table.cell(row, &field(seed::EVENT_TYPE)).unwrap().text.clone()).collect();
        for (outcome, row) in [(&first, "one"), (&second, "two")] {
            match outcome {
                Ok(_) => assert!(types.iter().any(|text| text == row), "{standing:?}: {row} in {types:?}"),
                Err(error) => assert_eq!(error.class(), FailureClass::Conflict, "{standing:?}: {error:?}"),
            }
        }
        let done = [first.is_ok(), second.is_ok()].iter().filter(|done| **done).count();
        assert!(done > 0, "{standing:?}: one of the two comes through");
        assert_eq!(rows, 1 + done, "{standing:?}: as many rows as were said to be written");
        done_by_both += usize::from(done == 2);
        // Whoever was told so tries again.
        one.update_metadata(&spot, &of_one, None).await.unwrap();
        let after = other.update_metadata(&spot, &of_other, None).await.unwrap().metadata.unwrap();
        assert_eq!(after.table(&TableId::new(seed::EVENTS)).unwrap().rows(), Some(3), "{standing:?}");
    }
    assert!(done_by_both > 0, "one waits for the other where it sees the lock");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_a_dead_process_of_ours_left_is_taken_over_when_it_is_old() {
    let (simulator, client) = site(simulator::Settings::default());
    let spot = seeded(&simulator, "spring-spot.mov");
    client.lock(&spot).await.unwrap();
    let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
    let error = client.update_metadata(&spot, &change, None).await.unwrap_err();
    assert_eq!(error.code(), "otmm.locked");
    tokio::time::sleep(Duration::from_secs(300)).await;
    client.update_metadata(&spot, &change, None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn many_are_locked_at_once_and_each_is_told_of_in_either_form() {
    for objects in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.edits.bulk_objects = objects;
        let (simulator, client) = site(settings);
        let (spot, poster) = (seeded(&simulator, "spring-spot.mov"), seeded(&simulator, "spring-poster.tif"));
        client_as(&simulator, seed::EDITOR).lock(&spot).await.unwrap();
        let ids = [poster.clone(), spot.clone(), AssetId::new("no-such")];
        let outcome = client.lock_all(&ids).await.unwrap();
        assert_eq!(outcome.done, std::slice::from_ref(&poster));
        let failed: Vec<&AssetId> = outcome.failed.iter().map(|failed| &failed.id).collect();
        assert_eq!(failed, [&ids[1], &ids[2]]);
        assert!(client.get_asset(&poster, Load::State).await.unwrap().is_locked);
        let outcome = client.unlock_all(&ids).await.unwrap();
        assert_eq!(outcome.done, std::slice::from_ref(&poster));
        let failed: Vec<&AssetId> = outcome.failed.iter().map(|failed| &failed.id).collect();
        assert_eq!(failed, [&ids[1], &ids[2]], "what somebody else has locked stays locked");
        assert!(!client.get_asset(&poster, Load::State).await.unwrap().is_locked);
        assert!(client.get_asset(&spot, Load::State).await.unwrap().is_locked);
    }
}

#[tokio::test(start_paused = true)]
async fn an_asset_is_deleted_only_as_it_was_known_and_by_whom_the_right_is_given() {
    for readable in [true, false] {
        let mut settings = simulator::Settings::default();
        settings.deletion.readable = readable;
        let (simulator, client) = site(settings);
        let known = asset(&simulator, &client, "spring-brief.pdf").await;
        let error = client_as(&simulator, seed::EDITOR).delete_asset(&known, false).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Forbidden, "otmm.forbidden"));
        tokio::time::sleep(Duration::from_secs(2)).await;
        let change = MetadataChange::new().text(&field(seed::ARCHIVE_ID), "archive-1");
        client.update_metadata(&known.id, &change, None).await.unwrap();
        let error = client.delete_asset(&known, false).await.unwrap_err();
        assert_eq!((error.class(), error.code()), (FailureClass::Conflict, "otmm.conflict"));
        let known = asset(&simulator, &client, "spring-brief.pdf").await;
        client.delete_asset(&known, false).await.unwrap();
        let found = client.find_asset(&known.id, Load::State).await.unwrap();
        assert_eq!(found.map(|asset| asset.is_gone()), readable.then_some(true));
    }
}
