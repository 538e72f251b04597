// What `serve` does for a backup that is made on another host: it asks the database, and checks and compresses files where they are.

import BackstopCore

final class ClusterService: ServerExtension {
    private let context: RunContext
    private let index: Int
    /// Throws when the client has gone: a server may take half an hour for a checkpoint, and meanwhile the stanza is locked here.
    private let checkClient: () throws(BackupError) -> Void
    private var connection: Connection?
    /// The chain of the last request, its memory kept for the next one, and the steps that it was made for.
    private var last: (steps: String, chain: RunningChain)?

    init(_ context: RunContext, _ index: Int, checkClient: @escaping () throws(BackupError) -> Void) {
        self.context = context
        self.index = index
        self.checkClient = checkClient
    }

    func chain(_ call: JSON) throws(BackupError) -> any ServedChain {
        let steps = call["steps"] ?? .null
        let made: RunningChain
        if let last, last.steps == steps.text {
            made = last.chain
        } else {
            made = try ChainSpec(wire: steps, context.registry).make(context.registry)
            last = (steps.text, made)
        }
        made.next(segment: call["segment"]?.uint.flatMap { UInt32(exactly: $0) } ?? 0)
        return made
    }

    func answer(_ request: Request, _ call: JSON, entry: (JSON) throws(BackupError) -> Void) async throws(BackupError) -> JSON? {
        switch request {
        case .connect:
            var settings = Connection.Settings(context, index)
            settings.checkWanted = checkClient
            let made = try Connection(settings)
            connection = made
            return .object(["version": .integer(Int64(made.serverNumber))])
        case .query:
            guard let connection else { throw BackupError(.invalid, "there is no session: send {\"op\":\"connect\"} first") }
            let parameters = (call["parameters"]?.array ?? []).compactMap(\.string)
            guard let query = call["query"]?.string.flatMap(DatabaseQuery.init(rawValue:)), parameters.count == query.parameterCount else {
                throw BackupError(.unsupported, "there is no query '\(call["query"]?.text ?? "")' with \(parameters.count) parameters")
            }
            let rows = try connection.query(query, parameters)
            for row in rows { try entry(.array(row.map { $0.map(JSON.string) ?? .null }).inRow) }
            return .object([:])
        default: return nil
        }
    }
}

extension JSON {
    /// A frame holds an object.
    fileprivate var inRow: JSON { .object(["row": self]) }
}
