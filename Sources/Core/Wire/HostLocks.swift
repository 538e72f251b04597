// Locks that a command takes on another host.

/// What a command locks for its stanza; the name is part of the lock file's (repository-format.md section 12.1).
public enum LockKind: String, Sendable, CaseIterable { case archive, backup, restore }

/// Locks of a command's stanza that another host takes too.
public struct HostLocks: Sendable, Equatable {
    /// What is taken for each of the repositories.
    public var kinds: [LockKind]
    /// Of the repositories as the client numbers them.
    public var repositories: [Int]
    /// The name of the run, which shares its locks with itself.
    public var run: String

    public init(kinds: [LockKind], repositories: [Int], run: String) {
        self.kinds = kinds
        self.repositories = repositories
        self.run = run
    }

    /// nil when it is none.
    public init?(wire value: JSON) {
        guard let names = value["kinds"]?.array?.compactMap(\.string), let repositories = value["repositories"]?.array?.compactMap(\.int),
            repositories.allSatisfy({ (1...256).contains($0) }), let run = value["run"]?.string, run.utf8.count <= 100
        else { return nil }
        let kinds = names.compactMap { LockKind(rawValue: $0) }
        guard kinds.count == names.count else { return nil }
        self.init(kinds: kinds, repositories: repositories.map(Int.init), run: run)
    }

    /// The member `lock` of a start's configuration (docs/driver-protocol.md).
    public var wire: JSON {
        .object([
            "kinds": .array(kinds.map { .string($0.rawValue) }), "repositories": .array(repositories.map { .integer(Int64($0)) }),
            "run": .string(run),
        ])
    }
}
