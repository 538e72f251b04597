// The composition root: built-ins, plugins.conf and configuration come together here, and nowhere else.

import BackstopCodecs
import BackstopCommands
public import BackstopCore
import BackstopDrivers
import CSystem
import Glibc
import Synchronization

/// The whole program, for whoever builds one with drivers of their own: `register` adds them to those that are built in. A driver with
/// `describe` gets options `repoN-NAME-…` as its description says.
public func runProgram(_ register: @Sendable (inout Registry) -> Void = { _ in }) -> Never {
    backstop_hold_standard_descriptors()
    backstop_block_signals()
    var registry = Registry()
    registerBuiltinDrivers(in: &registry)
    registerBuiltinCodecs(in: &registry)
    register(&registry)
    // Not exit: its handlers free what libraries share (libcrypto), while a thread may still be closing a connection.
    _exit(Invocation.run(arguments(), registry))
}

/// What the program was called with: names may have any bytes.
private func arguments() -> [String] {
    (0..<Int(CommandLine.argc)).compactMap { index in
        CommandLine.unsafeArgv[index].map { FileName.text(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }
}

private enum Invocation {
    static func run(_ arguments: [String], _ registry: Registry) -> Int32 {
        if let clash = registry.clash { return tell(clash) }
        let environment = configurationEnvironment()
        let plugins = Plugins(arguments, environment, registry)
        let table = OptionTable.standard(registry, programs: plugins.programs, filters: plugins.filters, plugins: plugins.path)
        let commandLine: ParsedCommandLine
        do throws(BackupError) {
            commandLine = try ParsedCommandLine.parse(arguments, table)
        } catch {
            // An option may be unknown because the file that would bring it cannot be used.
            let error = plugins.problem ?? error
            _ = tell(error)
            return exitStatus(of: error, command: arguments.contains("archive-get") ? "archive-get" : nil)
        }
        let log = Log()
        do throws(BackupError) {
            if commandLine.command.readsConfiguration {
                if let problem = plugins.problem { throw problem }
                watchSignals(commandLine.command.name)
            }
            var status: Int32 = 0
            for line in try Configuration.forEachStanza(commandLine, environment: environment, table) {
                let configuration = try Configuration.load(line, environment: environment, table)
                if let text = try pageToPrint(configuration, table) {
                    try StandardOutput.write(text)
                    continue
                }
                try configuration.checkUser(geteuid())
                let vouched = try Configuration.vouchedOptions(line, environment: environment, table)
                let one = run(configuration, vouched, plugins, log)
                if status == 0 { status = one }
            }
            return status
        } catch {
            var settings = Log.Settings()
            settings.timestamp = false
            if commandLine.command.runLevel == .debug { settings.consoleDescriptor = STDERR_FILENO }
            log.configure(settings)
            log.error(error)
            return exitStatus(of: error, command: commandLine.command.name)
        }
    }

    /// While the log is not set up: neither where it goes nor how much of it is known.
    private static func tell(_ error: BackupError) -> Int32 {
        var terminal = LogSink(STDERR_FILENO)
        terminal.write("ERROR: [\(threeDigits(error.code.exitStatus))]: \(error)\n")
        return error.code.exitStatus
    }

    /// `options`: nil when the configuration could not be read.
    private static func exitStatus(of error: BackupError, command: String?, _ options: Options? = nil) -> Int32 {
        command == "archive-get" ? RecoveryStatus.of(error, signal: Cancellation.requested, options) : error.code.exitStatus
    }

    private static func run(
        _ configuration: Configuration, _ vouched: [String: Options], _ plugins: Plugins, _ log: Log
    ) -> Int32 {
        var settings = configuration.logSettings
        // Commands that print what they found: a warning must not end up in the middle of JSON.
        if configuration.command.runLevel == .debug { settings.consoleDescriptor = STDERR_FILENO }
        log.configure(settings)
        if let path = configuration.logFile {
            // A folder that nobody asked for is nothing to warn of.
            let folder = configuration.options[LogOptions.path]
            if configuration.options.isGiven(LogOptions.path) || access(folder, F_OK) == 0 {
                log.openFile(path, configuration.options.newModes)
            } else {
                log.info("no log file is written: log-path is not set, and its default '\(folder)' does not exist")
            }
        }
        if let priority = configuration.options[RunOptions.priority] {
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Int32(priority))
        }
        let level = configuration.command.runLevel
        let started = ContinuousClock.now
        log.write(
            level, "\(configuration.command.name) command begin \(configuration.versionOfLog): \(configuration.commandLineText)")
        for warning in configuration.warnings { log.warn(warning) }
        for note in configuration.notes { log.write(configuration.dialect == .own ? .info : level, note) }

        let result = Mutex<Result<Int32, BackupError>>(.success(0))
        Lane.onThisThread {
            let outcome = await execute(configuration, vouched, plugins, log)
            result.withLock { $0 = outcome }
        }
        switch result.withLock({ $0 }) {
        case .success(let status):
            let elapsed = (ContinuousClock.now - started).components
            let milliseconds = elapsed.seconds * 1000 + elapsed.attoseconds / 1_000_000_000_000_000
            // Whoever wants no times compares logs.
            let time = settings.timestamp ? " (\(milliseconds)ms)" : ""
            log.write(level, "\(configuration.command.name) command end: completed successfully\(time)")
            return status
        case .failure(let error):
            log.error(error)
            log.write(level, "\(configuration.command.name) command end: aborted with exception [\(threeDigits(error.code.exitStatus))]")
            return exitStatus(of: error, command: configuration.command.name, configuration.options)
        }
    }

    private static func execute(
        _ configuration: Configuration, _ vouched: [String: Options], _ plugins: Plugins, _ log: Log
    ) async -> Result<Int32, BackupError> {
        do throws(BackupError) {
            let modes = PosixStorage.Modes.cluster.made(configuration.options.newModes)
            var context = RunContext(
                command: configuration.command.name, options: configuration.options, positional: configuration.positional,
                registry: try plugins.registry(configuration.options[SourceOptions.plugins]), log: log,
                openTree: { path in PosixStorage(root: path, modes: modes) },
                openHost: { (options, index, context, cluster) throws(BackupError) in
                    try SSHClusterHost(options, index, context, cluster: cluster)
                },
                inheritedOptions: configuration.arguments(for: "archive-get", leavingOut: notForRestoreCommand),
                programPath: programPath(configuration))
            context.optionsOf = vouched
            // There, a program of the peer's name is more likely the peer.
            if configuration.dialect == .pgBackRest, !configuration.options.isGiven(RunOptions.cmd) {
                context.programPathThere = ProgramPath.file ?? context.programPath
            }
            return .success(try await runCommand(context))
        } catch {
            return .failure(error)
        }
    }

    /// What concerns the restore and not the recovery after it (repository-format.md section 10.5); the stanza is always given.
    private static let notForRestoreCommand = Set(
        [
            SourceOptions.stanza.spec, RunOptions.execID.spec, RunOptions.priority.spec, RunOptions.allowRoot.spec,
            RunOptions.neutralUmask.spec,
        ]
        .map(\.name) + WorkOptions.specs.map(\.name) + LogOptions.specs.map(\.name))

    /// What other processes start this program with.
    private static func programPath(_ configuration: Configuration) -> String {
        if configuration.options.isGiven(RunOptions.cmd), let command = configuration.options[RunOptions.cmd] { return command }
        return ProgramPath.of(configuration.program)
    }

    /// The first signal asks the command to end in order, a second one ends it at once.
    private static func watchSignals(_ command: String) {
        isRecovery.store(command == "archive-get", ordering: .relaxed)
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { _ in
                Cancellation.request(signal: backstop_wait_signal())
                _ = backstop_wait_signal()
                let isRecovery = Invocation.isRecovery.load(ordering: .relaxed)
                _exit(Invocation.exitStatus(of: BackupError(.cancelled, "terminated"), command: isRecovery ? "archive-get" : nil))
            }, nil)
        pthread_detach(thread)
    }

    /// Of this process, for the thread that waits for signals.
    private static let isRecovery = Atomic<Bool>(false)

    private static func threeDigits(_ number: Int32) -> String { (number < 10 ? "00" : number < 100 ? "0" : "") + String(number) }
}
