// Which cluster something belongs to: what a stanza, a WAL segment and a data directory are compared by.

import BackstopCore

/// Made by initdb, and kept for as long as the cluster lives.
struct ClusterIdentity: Hashable, Sendable {
    var systemID: UInt64
    var version: PostgresVersion
}

extension ControlFile {
    var identity: ClusterIdentity { ClusterIdentity(systemID: systemID, version: version) }
}

extension WALHeader {
    var identity: ClusterIdentity { ClusterIdentity(systemID: systemID, version: version) }
}
