//! Scrubbing: the page at any moment is the native run at that moment, to the byte.
