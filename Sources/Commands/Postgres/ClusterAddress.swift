// Where a cluster is and how its database is reached, as one host tells another.

import BackstopCore

enum ClusterAddress {
    /// Options of a cluster and their names in the protocol.
    static let members: [(option: OptionSpec, member: String)] = [
        (PostgresOptions.path.spec, "path"), (PostgresOptions.port.spec, "port"), (PostgresOptions.socketPath.spec, "socket"),
        (PostgresOptions.user.spec, "user"), (PostgresOptions.database.spec, "database"),
    ]

    /// What this host's user has said of cluster `index`; the cluster's host takes of it what it does not know itself.
    static func wire(_ options: Options, _ index: Int) -> JSON {
        var told: [String: JSON] = [:]
        for (option, member) in members {
            switch options.given(option, index) {
            case .text(let text): told[member] = .string(text)
            case .number(let number): told[member] = .integer(number)
            default: break
            }
        }
        return .object(told)
    }

    /// nil when it cannot be.
    static func value(_ given: JSON, of option: OptionSpec) throws(BackupError) -> OptionValue? {
        guard given.string != nil || given.int != nil else { return nil }
        // What is no folder would be another host.
        if option.name == PostgresOptions.socketPath.spec.name, given.string?.hasPrefix("/") != true { return nil }
        return try option.parse(given.string ?? "\(given.int ?? 0)", shown: option.name)
    }
}
