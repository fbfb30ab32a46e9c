//! Whether an edit moves the date of a document, or adds a version, is not documented: the feed tells each change once
//! either way.

use simulators::content_server::state::{ADMIN, Permission, permissions::Holder};
use tests::watched::{FLOWS, FOLDER, Setting, Watched};

use crate::{DAY, FEEDS, run, watched};

/// Somebody of another department may see a document from now on.
fn show(world: &Watched, node: i64) {
    let rights = Some([Permission::See].into());
    world
        .content_server
        .with_state(|state| state.set_rights(ADMIN, node, Holder::Custom(1207), rights, None, 0))
        .expect("a right");
}

#[test]
fn an_edit_is_told_once_whatever_it_moves_besides() {
    for (date, version, rights) in [
        (false, false, false),
        (true, false, false),
        (false, true, false),
        (false, false, true),
        (true, true, true),
    ] {
        run(async {
            let mut setting = Setting::of(FEEDS);
            setting.content_server.category_edit_moves_modify_date = date;
            setting.content_server.category_edit_adds_version = version;
            setting.content_server.permission_edit_moves_modify_date = rights;
            let world = watched(setting).await;
            let case = format!("date {date}, version {version}, rights {rights}");
            let paper = world.document(FOLDER, "watched one.txt");
            let told = || world.told_to(FLOWS[0]).len();
            world.rounds().await;
            assert_eq!(told(), 1, "{case}");
            // A later document moves the window that is searched again each time beyond the first.
            world.pass(7200).await;
            world.document(FOLDER, "watched two.txt");
            world.rounds().await;
            assert_eq!(told(), 2, "{case}");
            world.set(paper, "2", "S 1");
            world.rounds().await;
            // A search by date finds it at once where the date moved, and the full look in any case.
            assert_eq!(told(), 2 + usize::from(date || version), "{case}");
            world.pass(DAY).await;
            world.rounds().await;
            assert_eq!(told(), 3, "{case}");
            show(&world, paper);
            world.rounds().await;
            world.pass(DAY).await;
            world.rounds().await;
            assert_eq!(told(), 3 + usize::from(rights), "{case}: only a date that moved tells of rights");
            assert!(!world.repeats(), "{case}");
        });
    }
}
