// Decides the value of every option: command line > environment > [stanza:command] > [stanza] > [global:command] > [global] > default.

/// One resolution, step by step: what was given is gathered best first, then each option gets its value.
struct Resolution {
    struct Candidate {
        var value: ParsedCommandLine.Given
        var source: OptionSource
    }

    let commandLine: ParsedCommandLine
    let table: OptionTable
    /// False for help, which shows values but runs nothing: nothing is required and nothing unsupported.
    let isStrict: Bool
    var command: String { commandLine.subject.name }
    private var isArchiving: Bool { ["archive-push", "archive-get"].contains(command) }

    private var candidates: [Options.Name: Candidate] = [:]
    private(set) var warnings: [String] = []
    private(set) var notes: [String] = []
    private var misplaced: [String] = []
    /// The stanzas that have a section in the files, sorted.
    private(set) var stanzas: [String] = []
    /// By whose name the program was called.
    private let dialect: Dialect
    /// Whose defaults hold: those of the program whose files are read, so that both names mean the same folders.
    private(set) var defaults: Dialect

    private var resolved: [Options.Name: OptionValue?] = [:]
    private var options = Options()

    init(_ commandLine: ParsedCommandLine, _ table: OptionTable, isStrict: Bool) {
        self.commandLine = commandLine
        self.table = table
        self.isStrict = isStrict
        dialect = Dialect(program: commandLine.program)
        defaults = dialect
        for (name, value) in commandLine.given { candidates[name] = Candidate(value: value, source: .commandLine) }
    }

    // MARK: Gathering

    mutating func readEnvironment(_ environment: [String: String]) throws(BackupError) {
        let read = try EnvironmentOptions(environment, table, command: command, dialect)
        warnings += read.warnings
        notes += read.notes
        for (name, entry) in read.entries where candidates[name] == nil {
            candidates[name] = Candidate(value: .values(entry.texts), source: .environment(entry.variable))
        }
    }

    mutating func readFiles(_ folders: ConfigurationFolders) throws(BackupError) {
        let request = ConfigurationSearch.Request(
            file: try early(SourceOptions.config), noFile: candidates[Options.Name(SourceOptions.config.spec.name)]?.value == .negated,
            folder: try early(SourceOptions.configPath),
            includeFolder: try early(SourceOptions.configIncludePath), stanza: try early(SourceOptions.stanza))
        let search = try ConfigurationSearch(request, folders, dialect)
        defaults = search.owner
        notes += search.notes
        warnings += search.warnings
        stanzas = Set(search.file.sections.keys.map { String($0.prefix { $0 != ":" }) }).filter { !$0.hasPrefix("global") }.sorted(
            by: bytewiseLess)
        var sections = FileOptions(search.file, table, command: command, stanza: request.stanza)
        // A typo must not fill pg_wal or end a recovery.
        sections.mayFail = !isArchiving
        let strict = SourceOptions.configStrict
        sections.isStrict = try (early(strict) ?? sections.text(strict.spec.name)).map { $0 != "n" } ?? strict.defaultValue
        try sections.read()
        warnings += sections.warnings
        misplaced = sections.misplaced
        // Whoever calls the peer expects silence, and a command that runs for every segment would say the same all day.
        if dialect == .pgBackRest || isArchiving { notes += sections.remarks } else { warnings += sections.remarks }
        for (name, entry) in sections.entries where candidates[name] == nil {
            candidates[name] = Candidate(value: .values(entry.texts), source: .file(entry.place))
        }
    }

    /// The text of an option that decides what is read, from what is known before the files.
    private func early<Value>(_ key: OptionKey<Value>) throws(BackupError) -> String? {
        let name = Options.Name(key.spec.name)
        guard let option = table.option(name.name), let candidate = candidates[name] else { return nil }
        if candidate.value == .negated { return option.isBoolean ? "n" : nil }
        guard case .values(let texts) = candidate.value else { return nil }
        switch try OptionValueParser(option: option, command: command, shown: name.name).parse(texts) {
        case .text(let text): return text
        case .flag(let flag): return flag ? "y" : "n"
        default: return nil
        }
    }

    func isGiven(_ name: Options.Name) -> Bool { candidates[name] != nil }

    // MARK: Deciding

    mutating func resolve() throws(BackupError) -> Options {
        for option in table.options where option.commands.contains(command) {
            for index in option.group.map(indexes) ?? [0] { _ = try value(option, index) }
        }
        for name in candidates.keys {
            if let option = table.option(name.name), option.isOfProgram { _ = try value(option, name.index) }
        }
        return options
    }

    /// The configured indexes; without any, the first. pg1 always exists.
    private func indexes(_ group: OptionSpec.Group) -> [Int] {
        var found: Set<Int> = group == .pg ? [1] : []
        for (name, candidate) in candidates where name.index > 0 && candidate.value != .reset && table.option(name.name)?.group == group {
            found.insert(name.index)
        }
        return found.isEmpty ? [1] : found.sorted()
    }

    /// Decides what it depends on first.
    private mutating func value(_ option: OptionSpec, _ index: Int) throws(BackupError) -> OptionValue? {
        let name = Options.Name(option.name, index)
        if let known = resolved[name] { return known }
        let decided = try decide(option, index, name)
        resolved[name] = .some(decided?.value)
        options.values[name] = decided
        return decided?.value
    }

    private mutating func decide(_ option: OptionSpec, _ index: Int, _ name: Options.Name) throws(BackupError) -> Options.Resolved? {
        let shown = option.fullName(index)
        var parser = OptionValueParser(option: option, command: command, shown: shown)
        let candidate = candidates[name].flatMap { $0.value == .reset ? nil : $0 }
        var defaultText = option.defaultText(for: command, defaults)

        if let dependency = option.dependency(for: command), let other = table.option(dependency.option) {
            let otherIndex = other.group == nil ? 0 : index
            let text = try value(other, otherIndex).map(Self.text)
            guard let text, dependency.values.isEmpty || dependency.values.contains(text) else {
                if let candidate, candidate.source == .commandLine { throw notApplicable(shown, dependency, other, otherIndex) }
                candidates[name] = nil
                guard let otherwise = dependency.otherwise else { return nil }
                return Options.Resolved(try parser.parse([otherwise]), .defaultValue)
            }
            defaultText = option.defaultByDependency[text] ?? defaultText
            parser.range = option.rangeByDependency[text]
        }

        let standard: OptionValue?
        if let defaultText { standard = try parser.parse([defaultText]) } else { standard = nil }
        guard let candidate else {
            if standard == nil, isStrict, option.requiredBy.contains(command) { throw missing(option, shown) }
            return standard.map { Options.Resolved($0, .defaultValue) }
        }
        let value: OptionValue
        switch candidate.value {
        case .values(let texts):
            do throws(BackupError) { value = try parser.parse(texts) } catch {
                if case .environment(let variable) = candidate.source { throw error.during("environment variable \(variable)") }
                throw error
            }
        case .negated where option.isBoolean: value = .flag(false)
        case .negated:
            // What a choice calls "no" is its word n; a text that is negated is unset.
            guard option.choices(for: command).contains("n") else { return nil }
            value = .text("n")
        case .reset: return standard.map { Options.Resolved($0, .defaultValue) }
        }
        if isStrict {
            do throws(BackupError) {
                try refuseUnsupported(option, shown, value, standard)
            } catch  where candidate.source != .commandLine && option.nearestSupported != nil {
                let nearest = option.nearestSupported ?? ""
                let text = "\(error.message), \(shown)=\(nearest) is done instead"
                if dialect == .pgBackRest, isArchiving { notes.append(text) } else { warnings.append(text) }
                candidates[name] = nil
                return Options.Resolved(try parser.parse([nearest]), .defaultValue)
            }
        }
        return Options.Resolved(value, candidate.source)
    }

    private static func text(_ value: OptionValue) -> String {
        switch value {
        case .text(let text): text
        case .flag(let flag): flag ? "y" : "n"
        case .number(let number): "\(number)"
        case .list, .map: ""
        }
    }

    private func notApplicable(_ shown: String, _ dependency: OptionSpec.Dependency, _ other: OptionSpec, _ index: Int) -> BackupError {
        let name = other.fullName(index)
        let condition =
            switch dependency.values {
            case []: "--\(name)"
            case ["y"] where other.isBoolean: "--\(name)"
            case ["n"] where other.isBoolean && other.canBeNegated: "--no-\(name)"
            default: "\(name)=" + dependency.values.joined(separator: ", ")
            }
        return BackupError(.optionInvalid, "option '\(shown)' is only valid with \(condition)")
    }

    private func missing(_ option: OptionSpec, _ shown: String) -> BackupError {
        let hint: String
        if option.group == .pg {
            hint = (misplaced + ["is there a section [\(commandLine.stanza ?? "STANZA")] in the configuration?"]).joined(separator: "\n")
        } else if option.isSecret {
            hint = "set it in the configuration file or in the environment."
        } else {
            hint = option.place == .commandLine ? "add --\(shown)=VALUE." : "set it in the configuration file, or add --\(shown)=VALUE."
        }
        return BackupError(.optionRequired, "command '\(command)' requires option '\(shown)'", hint: hint)
    }

    /// What asks for a feature that is not there. The default of an option that is not supported asks for nothing; a value that is not
    /// supported does so even when it is the default.
    private func refuseUnsupported(
        _ option: OptionSpec, _ shown: String, _ value: OptionValue, _ standard: OptionValue?
    ) throws(BackupError) {
        let text = Self.text(value)
        if !option.isSupported(by: command), value != standard {
            throw BackupError(
                .unsupported, "not supported yet: \(shown)\(option.isBoolean ? "=\(text)" : "")",
                hint: option.isBoolean ? "leave it at its default." : "take it out, or use pgBackRest for this until then.")
        }
        if option.unsupportedValues.contains(text) {
            let words = (option.isBoolean ? ["y", "n"] : option.choices(for: command)).filter { !option.unsupportedValues.contains($0) }
            throw BackupError(
                .unsupported, "not supported yet: \(shown)=\(text)", hint: "this version supports \(words.joined(separator: ", ")).")
        }
    }

    /// What was given and applies, sorted; to be asked after `resolve`.
    var given: [Configuration.Given] {
        candidates.compactMap { name, candidate in
            table.option(name.name).map {
                Configuration.Given(option: $0, index: name.index, value: candidate.value, source: candidate.source)
            }
        }.sorted { ($0.option.name, $0.index) < ($1.option.name, $1.index) }
    }
}

extension ParsedCommandLine {
    /// As written on the command line.
    var stanza: String? {
        if case .values(let texts)? = given[Options.Name("stanza")] { texts.last } else { nil }
    }
}
