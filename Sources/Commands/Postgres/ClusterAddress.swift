// Where a cluster is and how its database is reached, as one host tells another.

import BackstopCore

enum ClusterAddress {
    /// Options of a cluster and their names in the protocol.
    static let members = [
        ("pg-path", "path"), ("pg-port", "port"), ("pg-socket-path", "socket"), ("pg-user", "user"), ("pg-database", "database"),
    ]

    /// What this host's user has said of cluster `index`; the cluster's host takes of it what it does not know itself.
    static func wire(_ options: Options, _ index: Int) -> JSON {
        var told: [String: JSON] = [:]
        for (option, member) in members where options.isGiven(option, index) {
            switch options.value(option, index) {
            case .text(let text): told[member] = .string(text)
            case .number(let number): told[member] = .integer(number)
            default: break
            }
        }
        return .object(told)
    }

    /// nil when it cannot be.
    static func value(_ given: JSON, of option: String) throws(BackupError) -> OptionValue? {
        guard let spec = postgresOptions.first(where: { $0.name == option }), given.string != nil || given.int != nil else { return nil }
        // What is no folder would be another host.
        if option == "pg-socket-path", given.string?.hasPrefix("/") != true { return nil }
        return try spec.parse(given.string ?? "\(given.int ?? 0)", shown: option)
    }
}
