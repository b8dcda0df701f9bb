//! Generates the client stubs that the bare loop speaks with; the product's own stay inside its east wing.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../proto/gateway.proto");
    let descriptors = protox::compile(["gateway.proto"], ["../proto"])?;
    tonic_prost_build::configure().build_server(false).compile_fds(descriptors)?;
    Ok(())
}
