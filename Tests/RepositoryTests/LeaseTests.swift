import EndToEndSupport
import Testing

@testable import BackstopCommands
@testable import BackstopCore

/// Who of several hosts may go on, from what each of them finds in the repository.
struct LeaseTests {
    private func record(
        _ token: String, _ state: LeaseRecord.State, place: String? = nil, renewed: Int64 = 1_000_000, label: String? = nil
    ) -> LeaseRecord {
        LeaseRecord(
            token: token, state: state, command: "backup", host: "h-\(token)", process: 7, place: place ?? "place of \(token)",
            since: 999_000, label: label.flatMap { BackupLabel($0) }, renewed: renewed)
    }

    @Test func verdicts() {
        let own = record("5", .asking)
        #expect(own.verdict([]) == .free)
        #expect(own.verdict([own]) == .free)
        for token in ["1", "9"] {
            let running = record(token, .running)
            #expect(own.verdict([running]) == .lost(to: running))
            #expect(own.verdict([record(token, .ended)]) == .free)
            #expect(own.verdict([record(token, .running, place: own.place)]) == .free, "its lock is held by this run")
            #expect(
                own.verdict([record(token, .running, renewed: own.renewed - LeaseRecord.validity)])
                    == .lost(
                        to: record(token, .running, renewed: own.renewed - LeaseRecord.validity)))
            #expect(own.verdict([record(token, .running, renewed: own.renewed - LeaseRecord.validity - 1)]) == .free)
        }
        let (smaller, greater) = (record("1", .asking), record("9", .asking))
        #expect(own.verdict([smaller]) == .lost(to: smaller))
        #expect(own.verdict([greater]) == .wait(greater))
        #expect(own.verdict([greater, smaller]) == .lost(to: smaller))
        #expect(own.verdict([smaller, record("9", .running)]) == .lost(to: record("9", .running)))
    }

    /// Any number of runs, each step of each at any moment: never do two of them run, and one does.
    @Test func anyOrderOfSteps() {
        var random = Seeded(11)
        for round in 0..<2000 {
            let count = Int.random(in: 2...4, using: &random)
            var tokens = (0..<9).map(String.init).shuffled(using: &random).prefix(count).map { $0 }
            tokens.shuffle(using: &random)
            var stored: [String: LeaseRecord] = [:]
            enum Step { case write, look, run, done }
            var steps = [Step](repeating: .write, count: count)
            for _ in 0..<200 {
                let who = Int.random(in: 0..<count, using: &random)
                let own = record(tokens[who], .asking)
                switch steps[who] {
                case .write:
                    stored[own.token] = own
                    steps[who] = .look
                case .look:
                    switch own.verdict(Array(stored.values)) {
                    case .free: steps[who] = .run
                    case .wait: break
                    case .lost:
                        stored[own.token] = nil
                        steps[who] = .done
                    }
                case .run:
                    stored[own.token] = record(own.token, .running)
                    steps[who] = .done
                case .done: break
                }
                let mayRun = stored.values.filter { $0.state == .running }.count + steps.filter { $0 == .run }.count
                #expect(mayRun <= 1, "round \(round)")
            }
            #expect(stored.values.map(\.state) == [.running], "round \(round)")
        }
    }

    @Test func text() throws {
        for record in [record("0123456789abcdef", .running, label: "20261126-101010F"), record("ffffffffffffffff", .ended)] {
            #expect(LeaseRecord(token: record.token, record.json.bytes, renewed: record.renewed) == record)
        }
        let name = LeaseRecord.key("0123456789abcdef", in: Layout(stanza: "demo")).name
        #expect(LeaseRecord.token(inName: name) == "0123456789abcdef")
        for other in ["\(name).pgbackrest.tmp", "backup.lease-0123456789ABCDEF", "backup.lease-", "backup.info", "latest"] {
            #expect(LeaseRecord.token(inName: other) == nil, "\(other)")
        }
        #expect((0..<100).allSatisfy { _ in LeaseRecord.token(inName: "backup.lease-\(LeaseRecord.makeToken())") != nil })
    }

    /// What another version wrote, or damage, counts as somebody who runs.
    @Test(arguments: ["", "{", "{\"state\":\"flying\"}", "[1]", "{\"state\":1,\"label\":\"../x\"}"])
    func unknownText(_ text: String) {
        let record = LeaseRecord(token: "1", Array(text.utf8), renewed: 5)
        #expect(record.state == .running)
        #expect(record.label == nil)
        #expect(self.record("5", .asking, renewed: 5).verdict([record]) == .lost(to: record))
    }
}
