//! Share links from earlier days: each still opens, and leads to the very same run.
//!
//! A file of `tests/links/` holds a link's string and the digest of the run that it stands for. A
//! difference means that links which people have in their documents changed their meaning. When a
//! behaviour was corrected on purpose, the digest in the message goes into the file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use psync::cluster::share::LONGEST_LINK;
use psync::cluster::{Shared, presets};
use psync::server::engine::ENGINES;

#[test]
fn every_link_leads_to_the_run_that_it_stood_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/links");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(files.len() >= 12, "only {} links", files.len());
    let (mut engines, mut begun, mut wrong) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for file in &files {
        let text = fs::read_to_string(file).expect("a readable file");
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut lines = text.lines();
        let (link, digest) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let shared = Shared::decode(link).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(link.len() <= LONGEST_LINK, "{name} is {} letters long", link.len());
        assert_eq!(Shared::decode(&shared.encode()).as_ref(), Ok(&shared), "{name}");
        let now = format!("{:016x}", shared.run().digest());
        if now != digest {
            wrong.push(format!("{name}: {digest} became {now}"));
        }
        engines.insert(shared.scenario.engine.name);
        begun.extend(shared.scenario.preset);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for engine in ENGINES {
        assert!(engines.contains(engine.name), "no link with {}", engine.name);
    }
    for preset in presets::all() {
        assert!(begun.contains(&preset.name), "no link that begins with {}", preset.name);
    }
}
