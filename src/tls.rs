//! The one TLS stack: rustls with ring.

/// Makes ring the process's provider of cryptography, which every TLS client here needs before it is built.
///
/// Whoever came first has installed one already; one is as good as another.
pub fn use_ring() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
