// Reads the command line: which command, which arguments, which options were written (cli.md section 1.5). Values are not looked at
// here, so what this throws means that the command line itself cannot be read.

/// The words of the command line, sorted out.
public struct ParsedCommandLine: Sendable {
    /// What was written for an option: its texts, `--no-NAME` or `--reset-NAME`.
    public enum Given: Sendable, Equatable {
        case values([String])
        case negated, reset
    }

    /// How the program was called.
    public var program: String
    /// `help` and `version` also when they were written as options.
    public var command: CommandSpec
    /// The command whose options are meant: that of `help COMMAND`, otherwise `command`.
    public var subject: CommandSpec
    /// What stands after the command's name: as many words as it takes. Of `help OPTION` a command that has
    /// the option is put first.
    public var positional: [String]
    /// By name and index; what was given twice has been refused, or added up.
    public var given: [Options.Name: Given]

    /// `arguments` begins with the program's name. Errors belong on standard error as `ERROR: [031]: …`: no log is set up yet and
    /// what the user wants to hear is not known.
    public static func parse(_ arguments: [String], _ table: OptionTable) throws(BackupError) -> ParsedCommandLine {
        var reader = Reader(table: table)
        try reader.read(arguments.dropFirst())
        return try reader.finish(program: arguments.first ?? "")
    }
}

private struct Reader {
    let table: OptionTable
    var words: [String] = []
    var given: [Options.Name: ParsedCommandLine.Given] = [:]

    mutating func read(_ arguments: ArraySlice<String>) throws(BackupError) {
        var rest = arguments
        while let word = rest.popFirst() {
            let argument = Self.long(word)
            guard argument.hasPrefix("-"), argument != "-" else {
                words.append(argument)
                continue
            }
            guard argument.hasPrefix("--") else {
                throw BackupError(.optionInvalid, "unknown option '\(argument)'", hint: "options begin with --.")
            }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let written = parts[0]
            var value = parts.count > 1 ? parts[1] : nil
            guard written.utf8.count <= OptionTable.longestName else {
                throw BackupError(.optionInvalid, "option name '\(written)' is longer than \(OptionTable.longestName) characters")
            }
            guard !written.isEmpty, let match = try table.matchPrefix(written) else {
                if let missing = table.missingDriver(for: written, in: Array(arguments)) { throw missing }
                throw BackupError(.optionInvalid, "unknown option '--\(written)'", hint: table.nearestHint(to: written, before: "--"))
            }
            if match.form == .plain, value == nil, match.option.isSwitch {
                // Only what can be nothing else is its value.
                if let next = rest.first, match.option.choices(for: "").contains(next) { value = rest.removeFirst() }
            } else if match.form == .plain, value == nil, !match.option.isBoolean {
                // An option in the place of a value is a forgotten value.
                guard let next = rest.first, !next.hasPrefix("--") else {
                    throw BackupError(.optionInvalid, "option '--\(written)' needs a value", hint: "write --\(match.shown)=VALUE.")
                }
                value = rest.removeFirst()
            }
            try add(match, value)
        }
    }

    /// What every program has.
    private static func long(_ argument: String) -> String {
        switch argument {
        case "-h": "--help"
        case "-V": "--version"
        default: argument
        }
    }

    private mutating func add(_ match: OptionTable.Match, _ value: String?) throws(BackupError) {
        let option = match.option
        let shown = match.shown
        switch match.form {
        case .negated where !option.canBeNegated:
            throw BackupError(.optionInvalid, "option '\(shown)' has no --no- form")
        case .reset where !option.canBeReset:
            throw BackupError(.optionInvalid, "option '\(shown)' has no --reset- form", hint: "it comes from the command line anyway.")
        case .negated, .reset:
            let form = match.form == .negated ? "no" : "reset"
            guard value == nil else { throw BackupError(.optionInvalid, "option '--\(form)-\(shown)' takes no value") }
            let new = match.form == .negated ? ParsedCommandLine.Given.negated : .reset
            if let old = given.updateValue(new, forKey: match.name) { throw conflict(shown, old, new) }
        case .plain:
            guard !option.isSecret else {
                throw BackupError(
                    .optionInvalid, "option '\(shown)' is a secret and not allowed on the command line",
                    hint: "the list of processes would show it.\nset it in the configuration file or in the environment.")
            }
            let text = value ?? "y"
            switch given[match.name] {
            case nil: given[match.name] = .values([text])
            case .values(let texts) where option.isRepeatable: given[match.name] = .values(texts + [text])
            case let old?: throw conflict(shown, old, .values([text]))
            }
        }
    }

    private func conflict(_ shown: String, _ a: ParsedCommandLine.Given, _ b: ParsedCommandLine.Given) -> BackupError {
        func verb(_ given: ParsedCommandLine.Given) -> String {
            switch given {
            case .values: "set"
            case .negated: "negated"
            case .reset: "reset"
            }
        }
        return BackupError(
            .optionInvalid,
            verb(a) == verb(b) ? "option '\(shown)' is \(verb(a)) more than once" : "option '\(shown)' is both \(verb(a)) and \(verb(b))")
    }

    consuming func finish(program: String) throws(BackupError) -> ParsedCommandLine {
        try rewriteHelpAndVersion()
        guard let name = words.first else {
            guard given.isEmpty else {
                throw BackupError(.commandRequired, "no command given", hint: "'help' lists the commands.")
            }
            return ParsedCommandLine(
                program: program, command: try table.knownCommand("help"), subject: try table.knownCommand("help"), positional: [],
                given: [:])
        }
        let command = try table.knownCommand(name)
        var positional = Array(words.dropFirst())
        var subject = command
        if command.name == "help", positional.count == 1, let about = table.commandToShow(option: positional[0]) {
            positional.insert(about, at: 0)
        }
        if command.name == "help", let about = positional.first { subject = try table.knownCommand(about) }
        try checkPositional(positional, of: command)
        if let action = command.actionOnRepositoryType, positional.count > 1, positional[0] == action {
            given[Options.Name("repo-type", 1)] = .values([positional[1]])
        }
        for (name, _) in given.sorted(by: { ($0.key.name, $0.key.index) < ($1.key.name, $1.key.index) }) {
            guard let option = table.option(name.name), !option.commands.contains(subject.name) else { continue }
            let users = option.commands.sorted()
            throw BackupError(
                .optionInvalid, "option '\(option.fullName(name.index))' is not valid for command '\(subject.name)'",
                hint: users.isEmpty || users.count > 10 ? nil : "it belongs to: \(users.joined(separator: ", ")).")
        }
        return ParsedCommandLine(program: program, command: command, subject: subject, positional: positional, given: given)
    }

    /// `--help`, `COMMAND --help` and `--version` are other ways to write `help`, `help COMMAND` and `version`.
    private mutating func rewriteHelpAndVersion() throws(BackupError) {
        for name in [RunOptions.help.spec.name, RunOptions.version.spec.name] {
            guard case .values(let texts)? = given.removeValue(forKey: Options.Name(name)) else { continue }
            guard texts == ["y"] else {
                if texts == ["n"] { continue }
                throw BackupError(.optionInvalidValue, "'\(texts[0])' is not allowed for option '\(name)'", hint: "write --\(name).")
            }
            if words.first != name { words = name == RunOptions.help.spec.name ? [name] + words.prefix(1) : [name] }
        }
    }

    private func checkPositional(_ positional: [String], of command: CommandSpec) throws(BackupError) {
        guard positional.count <= command.positional.count else {
            throw BackupError(
                .parameterInvalid,
                command.positional.isEmpty
                    ? "command '\(command.name)' takes no arguments, but got '\(positional[0])'"
                    : "command '\(command.name)' takes at most \(command.positional.count) argument(s), but got \(positional.count)",
                hint: "options begin with --.")
        }
        for missing in command.positional.dropFirst(positional.count) where !missing.isOptional {
            throw BackupError(.parameterRequired, "command '\(command.name)' needs the argument \(missing.name)", hint: command.details)
        }
    }
}

extension OptionTable {
    /// For `help OPTION`: a command that has it, the one that most people mean; nil when it is no option, or a command of that name exists.
    fileprivate func commandToShow(option written: String) -> String? {
        guard command(written) == nil, let option = try? option(named: written) else { return nil }
        let usual = ["backup", "restore", "archive-push", "info"]
        return usual.first { option.commands.contains($0) } ?? option.commands.sorted().first
    }

    /// The command with this name, or what to say when there is none.
    public func knownCommand(_ name: String) throws(BackupError) -> CommandSpec {
        if let command = command(name) { return command }
        if let colon = name.firstIndex(of: ":"), command(String(name[..<colon])) != nil {
            throw BackupError(.unsupported, "not supported yet: command role '\(name)'", hint: "run the command on the host itself.")
        }
        let nearest = nearestName(to: name, in: commands.lazy.filter { !$0.isHidden }.map(\.name))
        throw BackupError(
            .commandInvalid, "unknown command '\(name)'",
            hint: nearest.map { "did you mean '\($0)'?" } ?? "'help' lists the commands.")
    }
}
