// An option with the type of its value: what is declared once is read by its declaration.

/// Name, kind, range, default, help and the commands that accept an option, with the type that its value has for those who read it. The default is
/// written in `spec` and nowhere else; an option without one is of an optional type.
public struct OptionKey<Value: OptionReadable>: Sendable {
    /// The declaration: what a text parses to, and what help says.
    public let spec: OptionSpec

    public init(_ spec: OptionSpec) { self.spec = spec }

    /// What holds where the command does not have the option, or one that it depends on is not set so.
    var defaultValue: Value {
        let value = spec.defaultValue.flatMap { try? spec.parse($0, shown: spec.name) }
        guard let read = Value(option: value) else { preconditionFailure("option '\(spec.name)' has no default of its type") }
        return read
    }
}

/// What the value of an option can be read as.
public protocol OptionReadable: Sendable {
    /// nil: it is of another kind, or there is none.
    init?(option value: OptionValue?)
}

extension String: OptionReadable {
    /// A string, a path or a word of a choice.
    public init?(option value: OptionValue?) {
        guard case .text(let text) = value else { return nil }
        self = text
    }
}

extension Bool: OptionReadable {
    public init?(option value: OptionValue?) {
        guard case .flag(let flag) = value else { return nil }
        self = flag
    }
}

extension Int: OptionReadable {
    /// An integer, or a size in bytes.
    public init?(option value: OptionValue?) {
        guard case .number(let number) = value else { return nil }
        self.init(number)
    }
}

extension Duration: OptionReadable {
    public init?(option value: OptionValue?) {
        guard case .number(let milliseconds) = value else { return nil }
        self = .milliseconds(milliseconds)
    }
}

extension [String]: OptionReadable {
    public init?(option value: OptionValue?) {
        if case .list(let list) = value { self = list } else { self = [] }
    }
}

extension [String: String]: OptionReadable {
    public init?(option value: OptionValue?) {
        if case .map(let map) = value { self = map } else { self = [:] }
    }
}

/// An option that may be unset.
extension Optional: OptionReadable where Wrapped: OptionReadable {
    public init?(option value: OptionValue?) { self = Wrapped(option: value) }
}

extension Options {
    /// The value, or the default of the declaration. `index`: of an option that comes several times.
    public subscript<Value>(_ key: OptionKey<Value>, _ index: Int = 0) -> Value {
        guard let value = value(key.spec.name, index), let read = Value(option: value) else { return key.defaultValue }
        return read
    }

    /// For options whose presence the resolution has made sure of. Throws `.optionRequired` (37).
    public func required<Value>(_ key: OptionKey<Value?>, _ index: Int = 0) throws(BackupError) -> Value {
        guard let value = self[key, index] else {
            throw BackupError(.optionRequired, "option '\(key.spec.fullName(index))' is required")
        }
        return value
    }

    /// Whether the user gave it.
    public func isGiven<Value>(_ key: OptionKey<Value>, _ index: Int = 0) -> Bool { isGiven(key.spec.name, index) }

    /// Where its value came from; nil when it has none.
    public func source<Value>(_ key: OptionKey<Value>, _ index: Int = 0) -> OptionSource? { source(key.spec.name, index) }

    /// Gives it a value that follows from other options and that nobody gave.
    public mutating func derive<Value>(_ key: OptionKey<Value>, index: Int = 0, _ value: OptionValue) {
        values[Name(key.spec.name, index)] = Resolved(value, .defaultValue)
    }

    /// What the user gave, of whatever kind it is; for who passes options on.
    public func given(_ spec: OptionSpec, _ index: Int) -> OptionValue? {
        guard let found = values[Name(spec.name, index)], found.source != .defaultValue else { return nil }
        return found.value
    }

    /// Takes over what another host said, as if it had been given here.
    public mutating func take(_ value: OptionValue, for spec: OptionSpec, _ index: Int) {
        values[Name(spec.name, index)] = Resolved(value, .commandLine)
    }
}

extension Duration {
    /// As option values have times.
    public var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
