// A command of the program: what is known of it before it runs, and its run.

import BackstopCore

struct Command: Sendable {
    /// Its name, help and arguments.
    let spec: CommandSpec
    /// What it locks for its stanza on this host and, when `stop` concerns it, on those that it reaches.
    let locks: [LockKind]
    /// Which of the configured repositories it works with.
    let repositories: RepositoryUse
    /// Whether `stop` keeps it from running.
    let respectsStop: Bool
    /// Whether a run with these options changes nothing, and takes no lock.
    let onlyLooks: @Sendable (Options) -> Bool
    /// Answers the exit status of a success: 1 where the field's answer is "not found". nil: not supported yet.
    let run: (@Sendable (RunContext) async throws(BackupError) -> Int32)?

    init(
        _ spec: CommandSpec, locks: [LockKind] = [], repositories: RepositoryUse = .none, respectsStop: Bool = false,
        onlyLooks: @escaping @Sendable (Options) -> Bool = { _ in false },
        run: @escaping @Sendable (RunContext) async throws(BackupError) -> Void
    ) {
        self.init(spec, locks: locks, repositories: repositories, respectsStop: respectsStop, onlyLooks: onlyLooks) {
            (context) throws(BackupError) -> Int32 in
            try await run(context)
            return 0
        }
    }

    init(
        _ spec: CommandSpec, locks: [LockKind] = [], repositories: RepositoryUse = .none, respectsStop: Bool = false,
        onlyLooks: @escaping @Sendable (Options) -> Bool = { _ in false },
        status: @escaping @Sendable (RunContext) async throws(BackupError) -> Int32
    ) {
        self.spec = spec
        self.locks = locks
        self.repositories = repositories
        self.respectsStop = respectsStop
        self.onlyLooks = onlyLooks
        run = status
    }

    /// Known, and not supported yet.
    init(coming spec: CommandSpec) {
        var spec = spec
        spec.isSupported = false
        self.spec = spec
        (locks, repositories, respectsStop, run) = ([], .none, false, nil)
        onlyLooks = { _ in false }
    }

    /// Looks whether it may run, sets the size of buffers, takes its locks and runs it.
    func start(_ context: RunContext) async throws(BackupError) -> Int32 {
        guard let run else {
            throw BackupError(.unsupported, "not supported yet: command '\(spec.name)'", hint: "'help' lists what this version does.")
        }
        var context = context
        BlockSize.set(buffers: context.options[GeneralOptions.bufferSize])
        if respectsStop { try StopFile.check(try context.stanza(), context.options, context.log) }
        context.repositories = try repositories.indexes(context)
        guard !locks.isEmpty, !onlyLooks(context.options) else { return try await run(context) }
        let lock = try CommandLock(locks, stanza: try context.stanza(), repositories: context.repositories, context.options, context.log)
        context.lock = lock
        // Who only reads a repository is neither stopped nor locked out on its host.
        if respectsStop { context.hostLocks = HostLocks(kinds: locks, repositories: context.repositories, run: lock.run) }
        let status = try await run(context)
        withExtendedLifetime(lock) {}
        return status
    }
}

/// Which of the configured repositories a command works with; `--repo` chooses one of them.
enum RepositoryUse: Sendable {
    case none
    /// The first of them, which is said when there are several.
    case first
    /// One after the other, until one has what is wanted.
    case firstThatHas
    /// Whatever becomes of the others.
    case each
    /// All of them, whatever `--repo` says.
    case all

    func indexes(_ context: RunContext) throws(BackupError) -> [Int] {
        switch self {
        case .none: return []
        case .all: return context.options.indexes(.repo)
        case .each, .firstThatHas: return try context.options.chosenRepositories()
        case .first:
            let index = try context.options.chosenRepositories()[0]
            if context.options.indexes(.repo).count > 1, context.options[GeneralOptions.repo] == nil {
                context.log.info("repo option not specified, defaulting to repo\(index)")
            }
            return [index]
        }
    }
}

extension CommandSpec {
    init(_ name: String, _ section: String, _ summary: String, _ details: String, _ more: (inout CommandSpec) -> Void = { _ in }) {
        self.init(name, section: section, summary: summary, details: details)
        more(&self)
    }
}
