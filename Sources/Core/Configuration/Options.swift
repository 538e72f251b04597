// The resolved configuration of one run: a value that commands and drivers read.

/// Where a value came from.
public enum OptionSource: Sendable, Equatable {
    case defaultValue, file(String), environment(String), commandLine
}

public enum OptionValue: Sendable, Equatable {
    case text(String)
    case flag(Bool)
    /// Plain integers, sizes in bytes, times in milliseconds.
    case number(Int64)
    case list([String])
    case map([String: String])
}

/// Names are given without index and the index apart; ungrouped options have index 0. An option that is unset has no value.
public struct Options: Sendable {
    public struct Name: Hashable, Sendable {
        public var name: String
        public var index: Int
        public init(_ name: String, _ index: Int = 0) {
            self.name = name
            self.index = index
        }
    }

    public struct Resolved: Sendable {
        public var value: OptionValue
        public var source: OptionSource
        public init(_ value: OptionValue, _ source: OptionSource) {
            self.value = value
            self.source = source
        }
    }

    public var values: [Name: Resolved]

    public init(_ values: [Name: Resolved] = [:]) { self.values = values }

    public func value(_ name: String, _ index: Int = 0) -> OptionValue? { values[Name(name, index)]?.value }

    public func source(_ name: String, _ index: Int = 0) -> OptionSource? { values[Name(name, index)]?.source }

    /// Whether the user gave it.
    public func isGiven(_ name: String, _ index: Int = 0) -> Bool {
        guard let source = source(name, index) else { return false }
        return source != .defaultValue
    }

    public func string(_ name: String, _ index: Int = 0) -> String? {
        if case .text(let text) = value(name, index) { text } else { nil }
    }

    /// For options whose presence the resolution has made sure of.
    public func required(_ name: String, _ index: Int = 0) throws(BackupError) -> String {
        guard let text = string(name, index) else {
            throw BackupError(.optionRequired, "option '\(Self.shown(name, index))' is required")
        }
        return text
    }

    /// False when unset.
    public func flag(_ name: String, _ index: Int = 0) -> Bool { value(name, index) == .flag(true) }

    /// nil when unset: for options whose default depends on the facts.
    public func optionalFlag(_ name: String, _ index: Int = 0) -> Bool? {
        if case .flag(let flag) = value(name, index) { flag } else { nil }
    }

    /// An integer or a size in bytes.
    public func number(_ name: String, _ index: Int = 0) -> Int64? {
        if case .number(let number) = value(name, index) { number } else { nil }
    }

    public func duration(_ name: String, _ index: Int = 0) -> Duration? {
        number(name, index).map { .milliseconds($0) }
    }

    public func list(_ name: String, _ index: Int = 0) -> [String] {
        if case .list(let list) = value(name, index) { list } else { [] }
    }

    public func map(_ name: String, _ index: Int = 0) -> [String: String] {
        if case .map(let map) = value(name, index) { map } else { [:] }
    }

    /// The configured indexes of a group, ascending.
    public func indexes(_ group: OptionSpec.Group) -> [Int] {
        Set(values.keys.lazy.filter { $0.index > 0 && $0.name.hasPrefix(group.rawValue + "-") }.map(\.index)).sorted()
    }

    static func shown(_ name: String, _ index: Int) -> String {
        guard index > 0, let dash = name.firstIndex(of: "-") else { return name }
        return name[..<dash] + "\(index)" + name[dash...]
    }
}

extension Options {
    /// From `neutral-umask`.
    public var newModes: NewModes { optionalFlag("neutral-umask") ?? true ? .neutral : .masked }
}
