// driver check: whether a driver keeps the contract, by the same checks that those of the program have to pass.

import BackstopConformance
import BackstopCore

/// One run over all checks, below a folder of its own, which is removed at the end. The name of a check is shown before its end.
struct DriverCheck {
    /// For one answer, unless `protocol-timeout` is given: longer than a busy machine needs.
    private static let usualRequestLimit = Duration.seconds(60)
    private static let checkLimit = Duration.seconds(300)
    /// Checks that may fail for want of an answer. Every further one would cost as much time and tell nothing new.
    private static let mostSilences = 2

    private let driver: StorageDriver
    private let storage: any Storage
    private let subject: StorageSubject
    private let requestLimit: Duration
    private var count = 0
    private var failures = 0
    private var silences = 0
    private var isStuck = false
    /// Nobody would see what is found.
    private var outputProblem: BackupError?

    init(_ driver: StorageDriver, _ options: Options, _ context: DriverContext) async throws(BackupError) {
        var options = options
        requestLimit =
            options.isGiven(NetworkOptions.protocolTimeout) ? options[NetworkOptions.protocolTimeout] : Self.usualRequestLimit
        let limit = OptionValue.number(requestLimit.components.seconds * 1000)
        options.values[Options.Name("protocol-timeout")] = Options.Resolved(limit, .defaultValue)
        let path = options[PlaceOptions.path, 1]
        let prefix = Key("driver-check-" + String(UInt32.random(in: .min ... .max), radix: 16))
        self.driver = driver
        let storage = try await driver.open(options, 1, context)
        self.storage = storage
        let resolved = options
        subject = StorageSubject(name: driver.name, storage: storage, prefix: prefix) { (name) async throws(BackupError) in
            var options = resolved
            let below = (path.hasSuffix("/") ? path : path + "/") + prefix.path + "/" + name
            options.values[Options.Name("repo-path", 1)] = Options.Resolved(.text(below), .defaultValue)
            return try await driver.open(options, 1, context)
        }
    }

    mutating func run() async throws(BackupError) {
        say("driver '\(driver.name)' at \(storage.location), in \(subject.prefix), random data of seed \(subject.seed)\n")
        try await run(storageChecks, on: subject)
        if storage is any ProgramStorage { try await run(programChecks, on: subject) }
        if let tree = storage as? any FileTree, !hasToStop {
            let folder = subject.prefix / "tree"
            try await tree.makeDirectory(folder, Attributes())
            try await run(
                fileTreeChecks, on: FileTreeSubject(name: driver.name, tree: tree, prefix: folder, isConfined: true, seed: subject.seed))
        }
        if !isStuck { await removeWhatIsLeft() }
        if let outputProblem { throw outputProblem }
        guard failures == 0 else {
            throw BackupError(
                .commandFailed,
                "driver '\(driver.name)' fails \(failures) of \(count) checks\(hasToStop ? ", the others were not run" : "")",
                hint: "do not keep backups with it: docs/driver-protocol.md says what is wanted.")
        }
        say("driver '\(driver.name)' keeps the contract: \(count) checks\n\(Self.unseen(subject.life))\n")
        if let outputProblem { throw outputProblem }
    }

    /// What no check from outside can find.
    static func unseen(_ life: SizeOfLife) -> String {
        "not seen from here: whether bytes survive a power failure (fsync), memory or files that a driver does not give back, "
            + "objects above \((life.objects.max() ?? 0) >> 20) MiB, listings above \(life.listing) entries"
    }

    private var hasToStop: Bool { isStuck || silences >= Self.mostSilences || outputProblem != nil }

    private mutating func run<Subject>(_ checks: [Check<Subject>], on subject: Subject) async throws(BackupError) {
        for check in checks where !hasToStop {
            try Cancellation.check()
            count += 1
            say("\(check.name) ... ")
            let begun = ContinuousClock.now
            let problem: String?
            do {
                switch try await check.run(on: subject, within: Self.checkLimit) {
                case .passed: say("ok\n")
                case .notApplicable(let reason): say("does not apply: \(reason)\n")
                }
                continue
            } catch let failure as ConformanceFailure {
                problem = failure.reason
            } catch let timeout as ConformanceTimeout {
                isStuck = timeout.isStuck
                problem = "it is not done after \(Self.checkLimit)" + (timeout.isStuck ? ", and cannot be ended" : " and was ended")
            } catch {
                problem = "\(error)"
            }
            try Cancellation.check()
            failures += 1
            if ContinuousClock.now - begun >= requestLimit { silences += 1 }
            say("FAIL\n  \((problem ?? "").split(separator: "\n").joined(separator: "\n  "))\n")
        }
    }

    private mutating func removeWhatIsLeft() async {
        do throws(BackupError) {
            try await storage.removeAll(subject.prefix)
        } catch {
            say("unable to remove what the checks left in \(subject.prefix): \(error.message)\n")
        }
    }

    private mutating func say(_ text: String) {
        guard outputProblem == nil else { return }
        do throws(BackupError) { try StandardOutput.write(text) } catch { outputProblem = error }
    }
}
