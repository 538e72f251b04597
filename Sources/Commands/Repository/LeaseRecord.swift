// Who changes a stanza in a repository now, as it is written there for other hosts (decision 0008).

import BackstopCore

/// One claim. It lies in an object of its own whose name no other run uses, so nobody ever replaces the claim of somebody else.
struct LeaseRecord: Sendable, Equatable {
    enum State: String, Sendable {
        /// Looks whether it is alone.
        case asking
        case running
        /// Is over, but left the folder `label` behind.
        case ended
    }

    /// 16 hexadecimal digits, the end of the object's name.
    var token: String
    var state: State
    var command: String
    var host: String
    var process: Int64
    /// What two runs share that one lock file keeps apart: the host, the folder of its locks and the number of the repository.
    var place: String
    /// Unix seconds, by the clock of the host that wrote it; for people only.
    var since: Int64
    /// Of the backup that is being made, as soon as it has one.
    var label: BackupLabel?
    /// Unix seconds by the clock of the storage: when the object was written last.
    var renewed: Int64 = 0

    /// A claim that was not renewed for so long counts for nothing: its host is gone.
    static let validity: Int64 = 20 * 60
    /// Renewals may fail nine times in a row before that.
    static let renewal = Duration.seconds(120)

    private static let beginning = "backup.lease-"

    static func key(_ token: String, in layout: Layout) -> Key { layout.backups / (beginning + token) }

    /// Of a new claim.
    static func makeToken() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// nil when `name` is not that of a claim.
    static func token(inName name: some StringProtocol) -> String? {
        guard name.hasPrefix(beginning) else { return nil }
        let token = name.dropFirst(beginning.count)
        return token.utf8.count == 16 && token.utf8.allSatisfy(isLowerHexadecimal) ? String(token) : nil
    }

    static func list(in repository: StanzaRepository) async throws(BackupError) -> [(token: String, entry: Entry)] {
        try await repository.storage.list(repository.layout.backups, .names(beginningWith: beginning)).compactMap { entry in
            token(inName: entry.key.name).map { ($0, entry) }
        }
    }

    // MARK: As it is stored

    var json: JSON {
        .object([
            "command": .string(command), "host": .string(host), "label": JSON(label?.text), "pid": .integer(process),
            "place": .string(place),
            "since": .integer(since), "state": .string(state.rawValue),
        ])
    }

    /// What cannot be understood is somebody who runs: a later version may write more than this one reads.
    init(token: String, _ bytes: [UInt8], renewed: Int64) {
        let json = JSON(parsing: bytes)
        self.init(
            token: token, state: json?["state"]?.string.flatMap(State.init) ?? .running, command: json?["command"]?.string ?? "command",
            host: json?["host"]?.string ?? "unknown", process: json?["pid"]?.int ?? 0, place: json?["place"]?.string ?? "",
            since: json?["since"]?.int ?? renewed, label: json?["label"]?.string.flatMap { BackupLabel($0) },
            renewed: renewed)
    }

    init(
        token: String, state: State, command: String, host: String, process: Int64, place: String, since: Int64, label: BackupLabel? = nil,
        renewed: Int64 = 0
    ) {
        self.token = token
        self.state = state
        self.command = command
        self.host = host
        self.process = process
        self.place = place
        self.since = since
        self.label = label
        self.renewed = renewed
    }

    /// For people.
    var holder: String {
        "\(command)\(label.map { " \($0)" } ?? "") of process \(process) on host '\(host)' since \(localTimeWithZone(since))"
    }

    // MARK: Who may go on

    enum Verdict: Equatable {
        /// Nobody else is there.
        case free
        /// Somebody else looks at the same moment and will give way.
        case wait(LeaseRecord)
        case lost(to: LeaseRecord)
    }

    /// Whether `other` is over, seen from a run that wrote its own claim just now and holds the locks of its place.
    func outlives(_ other: LeaseRecord) -> Bool {
        other.state == .ended || other.place == place || renewed - other.renewed > Self.validity
    }

    /// Each writes its claim before it looks, so of two at least one sees the other; of two that only look the smaller token goes on.
    func verdict(_ others: [LeaseRecord]) -> Verdict {
        let rivals = others.filter { $0.token != token && !outlives($0) }
        if let holder = rivals.first(where: { $0.state == .running }) { return .lost(to: holder) }
        if let first = rivals.min(by: { $0.token < $1.token }) { return first.token < token ? .lost(to: first) : .wait(first) }
        return .free
    }
}
