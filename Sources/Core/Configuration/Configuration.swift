// The configuration of one run: command, arguments and options from the command line, the environment and the files.

import Glibc

/// What the composition root gets to run a command. Two steps make it, because their errors are shown differently:
/// `ParsedCommandLine.parse` reads the command line, its errors go to standard error as `ERROR: [031]: …`; `Configuration.load` does
/// everything else, its errors go to the log like those of a command.
public struct Configuration: Sendable {
    /// An option that the user gave, as it was written.
    public struct Given: Sendable {
        /// Its declaration, also when it was written by an old name.
        public var option: OptionSpec
        /// Of a grouped option, from 1; otherwise 0.
        public var index: Int
        /// Texts that are not yet of the option's kind, or that it was negated or reset.
        public var value: ParsedCommandLine.Given
        /// Where it was written: never `.defaultValue`.
        public var source: OptionSource
        /// As a user writes it: `repo1-path`.
        public var shown: String { option.fullName(index) }
    }

    /// How the program was called: the first word of the command line.
    public var program: String
    /// By whose name the program was called.
    public var dialect: Dialect { Dialect(program: program) }
    /// Whose defaults hold.
    public var defaults: Dialect
    /// What runs: with `help COMMAND` it is `help`.
    public var command: CommandSpec
    /// For `help COMMAND` the command asked about, whose current values `options` has; otherwise `command`.
    public var subject: CommandSpec
    /// What stands after the command's name.
    public var positional: [String]
    /// Of the command `subject`. For help nothing is required, and no check across options is made.
    public var options: Options
    /// For the log, once it is set up.
    public var warnings: [String] = []
    /// Likewise, at info level.
    public var notes: [String] = []
    /// What was given and applies to this command, sorted by name and index.
    public var given: [Given] = []

    /// nil when none is named, which some commands allow.
    public var stanza: String? { options[SourceOptions.stanza] }

    /// Fails with what is wrong in the environment, the files or the values; `folders` is where the files are looked for.
    public static func load(
        _ commandLine: ParsedCommandLine, environment: [String: String], _ table: OptionTable,
        folders: ConfigurationFolders = ConfigurationFolders()
    ) throws(BackupError) -> Configuration {
        let isHelp = commandLine.command.name == "help"
        var configuration = Configuration(
            program: commandLine.program, defaults: Dialect(program: commandLine.program), command: commandLine.command,
            subject: commandLine.subject,
            positional: commandLine.positional, options: Options())
        guard isHelp || commandLine.command.isSupported else {
            throw BackupError(
                .unsupported, "not supported yet: command '\(commandLine.command.name)'", hint: "'help' lists what this version does.")
        }
        var resolution = Resolution(commandLine, table, isStrict: !isHelp)
        if commandLine.subject.readsConfiguration {
            try resolution.readEnvironment(environment)
            try resolution.readFiles(folders)
        }
        configuration.options = try resolution.resolve()
        configuration.defaults = resolution.defaults
        configuration.warnings = resolution.warnings
        configuration.notes = resolution.notes
        configuration.given = resolution.given
        if !isHelp { try table.checks(&configuration) }
        return configuration
    }

    /// The command lines to run one after the other: for a command about all stanzas when none is named, one for each in the files.
    public static func forEachStanza(
        _ commandLine: ParsedCommandLine, environment: [String: String], _ table: OptionTable,
        folders: ConfigurationFolders = ConfigurationFolders()
    ) throws(BackupError) -> [ParsedCommandLine] {
        let name = Options.Name("stanza")
        guard commandLine.command.runsForEachStanza, commandLine.given[name] == nil else { return [commandLine] }
        var resolution = Resolution(commandLine, table, isStrict: true)
        try resolution.readEnvironment(environment)
        try resolution.readFiles(folders)
        if resolution.isGiven(name) { return [commandLine] }
        guard !resolution.stanzas.isEmpty else {
            throw BackupError(
                .optionRequired, "command '\(commandLine.command.name)' found no stanza in the configuration",
                hint: "name one with --stanza, and give it a section with pg1-path in the configuration file.")
        }
        return resolution.stanzas.map { stanza in
            var line = commandLine
            line.given[name] = .values([stanza])
            return line
        }
    }

    /// Refuses to run as root where neither the command nor `allow-root` permits it: files it made would not belong to the database.
    /// `user` is the effective user's number.
    public func checkUser(_ user: UInt32) throws(BackupError) {
        guard user == 0, !command.allowsRoot, !options[RunOptions.allowRoot] else { return }
        throw BackupError(
            .optionInvalid, "command '\(command.name)' does not run as root",
            hint: "run it as the user who owns the database and the repository.\nset allow-root=y to do it all the same.")
    }

    // MARK: The log

    /// From the options of the log. With `output=json` the console gets errors only, unless its level was given.
    public var logSettings: Log.Settings {
        var settings = Log.Settings()
        settings.console = options[LogOptions.levelConsole]
        // Who reads JSON often reads standard error with it.
        if options[RunOptions.output] == "json", !options.isGiven(LogOptions.levelConsole) { settings.console = .error }
        settings.file = options[LogOptions.levelFile]
        settings.standardError = options[LogOptions.levelStderr]
        settings.timestamp = options[LogOptions.timestamp]
        return settings
    }

    /// nil when the command writes none.
    public var logFile: String? {
        guard command.hasLogFile, logSettings.file != .off else { return nil }
        return "\(options[LogOptions.path])/\(stanza ?? "all")-\(command.name).log"
    }

    /// For the line that tells the begin of a run: `[arguments] --option=value …`, sorted, without secrets.
    public var commandLineText: String {
        var words = given.map { (name: $0.option.name, words: Self.words($0, quoted: true)) }
        // Shown though nobody gave it: it is how a reader of the log finds what belongs to this run.
        if let run = options[RunOptions.execID], !options.isGiven(RunOptions.execID) {
            words.insert(("exec-id", ["--exec-id=\(run)"]), at: words.firstIndex { $0.name > "exec-id" } ?? words.endIndex)
        }
        let arguments = positional.isEmpty ? [] : ["[" + positional.joined(separator: ", ") + "]"]
        return (arguments + words.flatMap(\.words)).joined(separator: " ")
    }

    // MARK: Other processes

    /// What another process of this program on this host needs to see the same configuration for `command`, which reads the same
    /// files: options that came from the command line or the environment and are valid there, without secrets. For `restore_command`.
    public func arguments(for command: String, leavingOut left: Set<String> = []) -> [String] {
        given.flatMap { given -> [String] in
            guard given.option.commands.contains(command), !given.option.isSecret, !given.option.isOfProgram,
                !left.contains(given.option.name)
            else { return [] }
            if case .file = given.source { return [] }
            var given = given
            // The other process may run in another folder.
            if [SourceOptions.config.spec.name, SourceOptions.plugins.spec.name].contains(given.option.name),
                case .values(let paths) = given.value
            {
                given.value = .values(paths.map(absolutePath))
            }
            return Self.words(given, quoted: false)
        }
    }

    private static func words(_ given: Given, quoted: Bool) -> [String] {
        switch given.value {
        case .negated: return ["--no-\(given.shown)"]
        case .reset: return ["--reset-\(given.shown)"]
        case .values(let texts):
            // What of them is a secret only the driver knows: it is told when the driver has been asked.
            if given.option.isOfProgram { return [] }
            return texts.map { text in
                if given.option.isSecret { return "--\(given.shown)=<redacted>" }
                if given.option.isBoolean {
                    if text == "y" { return "--\(given.shown)" }
                    return given.option.canBeNegated ? "--no-\(given.shown)" : "--\(given.shown)=n"
                }
                return "--\(given.shown)=" + (quoted && text.contains(" ") ? "\"\(text)\"" : text)
            }
        }
    }
}

/// `path` as seen from any folder.
public func absolutePath(_ path: String) -> String {
    guard !path.hasPrefix("/"), let folder = getcwd(nil, 0) else { return path }
    defer { free(folder) }
    return "\(String(cString: folder))/\(path)"
}
