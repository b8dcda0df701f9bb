//! Generates the server stubs of the Zeebe gateway for DevGateway.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=../proto/gateway.proto");
    let descriptors = protox::compile(["gateway.proto"], ["../proto"])?;
    tonic_prost_build::configure().build_client(true).compile_fds(descriptors)?;
    Ok(())
}
