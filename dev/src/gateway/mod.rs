//! DevGateway: the job side of a Zeebe gateway, in memory, over real gRPC.
