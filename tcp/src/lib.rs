//! The socket shell of PSYNC Lab: everything that knows sockets.
