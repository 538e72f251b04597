// Whose habits the program has: its own, or those of pgBackRest for whoever calls it by that name.

/// Monitoring, high-availability managers and scripts call `pgbackrest`. A link of that name to this program satisfies them.
public enum Dialect: Sendable, Equatable {
    case own, pgBackRest

    /// `program`: how the program was called, the first word of its command line.
    public init(program: String) {
        self = program.split(separator: "/").last == "pgbackrest" ? .pgBackRest : .own
    }

    var other: Dialect { self == .own ? .pgBackRest : .own }

    /// The version of pgBackRest whose place the program takes.
    public static let peersVersion = "2.60.0"
    /// Major, minor and patch, three digits each after the first.
    public static let peersVersionNumber = "2060000"
}
