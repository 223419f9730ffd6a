//! The binary that trunk builds. All of it is the library; linking it is what brings the
//! element's exported methods into the module.

use psync_lab_page as _;

fn main() {}
