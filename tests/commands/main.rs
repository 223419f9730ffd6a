//! What clients can ask of a server, on the machine in memory. The expected words and streams are
//! those of redis-server 7.0.15 and valkey-server 9.1.2, taken with a raw replica; those of 6.2
//! and before are from its source.

mod clients;
mod failovers;
mod lab;
mod shutdowns;
mod streams;
mod transactions;
mod waits;
mod words;
