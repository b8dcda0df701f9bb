//! The cluster that this gateway pretends to belong to.

use super::proto::partition::{PartitionBrokerHealth, PartitionBrokerRole};
use super::proto::{BrokerInfo, Partition, TopologyResponse};
use super::settings::Settings;

/// One broker that leads its one healthy partition.
pub(super) fn of(settings: &Settings) -> TopologyResponse {
    let partition = Partition {
        partition_id: 1,
        role: PartitionBrokerRole::Leader as i32,
        health: PartitionBrokerHealth::Healthy as i32,
    };
    let broker = BrokerInfo {
        node_id: 0,
        host: settings.listen.ip().to_string(),
        port: 26501,
        partitions: vec![partition],
        version: settings.gateway_version.clone(),
    };
    TopologyResponse {
        brokers: vec![broker],
        cluster_size: 1,
        partitions_count: 1,
        replication_factor: 1,
        gateway_version: settings.gateway_version.clone(),
        cluster_id: if settings.at_least(9) { "dev-gateway".into() } else { String::new() },
    }
}
