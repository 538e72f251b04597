// What an option is, declared once as data: parsing, validation, help, documentation and redaction of secrets come from here.

/// One option of the program or of a driver.
public struct OptionSpec: Sendable {
    /// What a value may be, and how its text is read.
    public enum Kind: Sendable {
        case string
        /// Absolute; a trailing `/` is dropped.
        case path
        case boolean
        case integer(ClosedRange<Int64>)
        /// Bytes. Where `allowed` is not empty only those values.
        case size(ClosedRange<Int64>, allowed: [Int64] = [])
        /// Milliseconds.
        case time(ClosedRange<Int64>)
        case choice([String])
        /// May be repeated.
        case list
        /// `key=value`, may be repeated.
        case map
    }

    /// Options that come several times, each with an index: `repo1-path`, `pg2-port`.
    public enum Group: String, Sendable { case repo, pg }

    /// Where an option may be set besides the environment.
    public enum Place: Sendable { case commandLine, global, stanza }

    /// The option is valid only when another one (of the same index, if that is grouped) has one of these values; any value when empty.
    public struct Dependency: Sendable {
        /// Without index: `repo-type`.
        public var option: String
        /// In text form: `y` and `n` of a boolean.
        public var values: [String]
        /// The value of this option, in text form, when the condition does not hold; nil: unset.
        public var otherwise: String?
        public init(_ option: String, _ values: [String] = [], otherwise: String? = nil) {
            self.option = option
            self.values = values
            self.otherwise = otherwise
        }
    }

    /// As users know it, without index: `repo-path`, `process-max`.
    public var name: String
    /// nil: it comes once, and its index is 0.
    public var group: Group?
    /// Which texts are valid, and what they are read as.
    public var kind: Kind
    /// In which sections of a file it may stand, if in any.
    public var place: Place
    /// Text form, as in a file; nil: unset.
    public var defaultValue: String?
    /// What it is for pgBackRest, where that differs.
    public var peersDefault: String?
    /// Defaults (and allowed values of a choice) that differ by command.
    public var defaultByCommand: [String: String] = [:]
    /// By the name of the command: all its words, in place of those of `kind`.
    public var choicesByCommand: [String: [String]] = [:]
    /// Commands that accept it.
    public var commands: Set<String>
    /// Commands that cannot run without it (when its dependency holds).
    public var requiredBy: Set<String> = []
    /// Where it does not hold the option has no value but `otherwise`, and on the command line it is an error.
    public var dependency: Dependency?
    /// A dependency that only these commands have, in place of `dependency`.
    public var dependencyByCommand: [String: Dependency] = [:]
    /// Defaults and ranges that differ by the value of the option depended on: the level by the type of compression.
    public var defaultByDependency: [String: String] = [:]
    /// Ranges that go by the value of the option that this one depends on (levels by codec).
    public var rangeByDependency: [String: ClosedRange<Int64>] = [:]
    /// Never shown, and refused on the command line.
    public var isSecret = false
    /// Names of files are bytes (FileName); all other values are UTF-8.
    public var holdsFileNames = false
    /// Of a driver that is a program: only the driver knows what it means and whether it is a secret, so it is treated as if it were one
    /// where it would be shown.
    public var isOfProgram = false
    /// Of the choice of a driver: path of the file that names those that there are.
    public var allowList: String?
    /// Has a `--no-` form although it is not a boolean that files may set.
    public var isNegatable = false
    /// Works but is not shown in help.
    public var isHidden = false
    /// False: it parses, and using it fails with "not supported yet".
    public var isSupported = true
    /// Values of a choice or of a boolean that parse but are not supported yet.
    public var unsupportedValues: Set<String> = []
    /// Commands for which it is not supported yet, although it is for others.
    public var unsupportedFor: Set<String> = []
    /// What is done in place of a value that is not supported yet, when a file or the environment asks for it: a configuration that is brought
    /// from elsewhere must archive and back up from the first minute. nil: it is an error wherever it is asked for.
    public var nearestSupported: String?
    /// Old names, whole, with `N` for the index where they have one (`dbN-path`); see cli.md section 1.9.
    public var oldNames: [String] = []
    /// The heading on pages of help.
    public var section = "General"
    /// Some words, for lists of options.
    public var summary: String
    /// Sentences, for its own page.
    public var details = ""

    public init(
        _ name: String, _ kind: Kind, _ place: Place, group: Group? = nil, default defaultValue: String? = nil,
        commands: Set<String>, summary: String
    ) {
        self.name = name
        self.kind = kind
        self.place = place
        self.group = group
        self.defaultValue = defaultValue
        self.commands = commands
        self.summary = summary
    }

    /// The name with its index put in: `repo1-path`.
    public func fullName(_ index: Int) -> String { fullName("\(index)") }

    /// The name as documentation writes it: `repoN-path`.
    public var pattern: String { fullName("N") }

    private func fullName(_ index: String) -> String {
        guard let group else { return name }
        return group.rawValue + index + name.dropFirst(group.rawValue.count)
    }

    /// Lists and maps: each occurrence adds to them.
    public var isRepeatable: Bool {
        switch kind {
        case .list, .map: true
        default: false
        }
    }

    /// Its values are `.flag`, written `y` and `n`.
    public var isBoolean: Bool { if case .boolean = kind { true } else { false } }

    /// A choice that once was a boolean: `--backup-standby` alone still means y, `--no-backup-standby` n.
    public var isSwitch: Bool {
        guard isNegatable, case .choice(let words) = kind else { return false }
        return words.contains("y") && words.contains("n")
    }

    /// Whether `--no-NAME` exists.
    public var canBeNegated: Bool { isNegatable || (isBoolean && place != .commandLine) }

    /// Whether `--reset-NAME` exists.
    public var canBeReset: Bool { place != .commandLine }

    /// nil: unset, or it depends on another option.
    public func defaultText(for command: String, _ dialect: Dialect) -> String? {
        (dialect == .pgBackRest ? peersDefault : nil) ?? defaultByCommand[command] ?? defaultValue
    }

    /// Whether a command does what the option asks for; otherwise giving it is an error.
    public func isSupported(by command: String) -> Bool { isSupported && !unsupportedFor.contains(command) }

    /// Without which value of another option this one has no meaning.
    public func dependency(for command: String) -> Dependency? { dependencyByCommand[command] ?? dependency }

    /// The words of a choice that `command` accepts; empty for other kinds.
    public func choices(for command: String) -> [String] {
        guard case .choice(let words) = kind else { return [] }
        return choicesByCommand[command] ?? words
    }
}
