// Checks of Storage: any number of requests may be under way at the same moment, and none of them is lost.

import BackstopCore
import Synchronization

let storageMomentChecks: [Check<StorageSubject>] = [
    Check("a reader at the same time sees one object or the other") { subject, random in
        let storage = subject.storage
        let key = subject.prefix / "polled" / "object"
        let versions = [random.bytes(150_000), random.bytes(700_000)]
        let rounds = 12
        let writing = Flag()
        let findings = Findings()
        try await storage.put(key, bytes: versions[0])
        _ = try await together(3) { worker in
            if worker == 0 {
                defer { writing.lower() }
                for round in 1...rounds { try await storage.put(key, bytes: versions[round % 2]) }
                return
            }
            repeat {
                let seen = try await storage.read(key)
                if !versions.contains(seen) { findings.add("\(seen.count) bytes were read that nobody has put") }
                let size = try await storage.stat(key)?.size
                if size != 150_000 && size != 700_000 {
                    findings.add("stat says \(size.map(String.init) ?? "nothing") while replacing")
                }
                await Task.yield()
            } while writing.isUp
        }
        try findings.expectNone()
        try await subject.expect(key, holds: versions[0])
    },

    Check("many puts and gets at a time") { subject, random in
        let storage = subject.storage
        let folder = subject.prefix / "parallel"
        let objects = (0..<24).map { (folder / "folder-\($0 % 3)" / "object-\($0)", random.bytes($0 * 20_000)) }
        _ = try await together { worker in
            for (key, bytes) in objects[worker * 3..<worker * 3 + 3] {
                try await storage.put(key, bytes: bytes)
                try await subject.expect(key, holds: bytes)
            }
        }
        for (key, bytes) in objects { try await subject.expect(key, holds: bytes) }
        let count = try await storage.list(folder, .all).count { $0.kind == .file }
        try expect(count == objects.count, "\(objects.count) objects were put, \(count) are listed")
    },

    Check("what is put at the same moment is all there") { subject, random in
        let folder = subject.prefix / "moment"
        let bytes = (0..<requestsAtOnce).map { random.bytes(500 + $0) }
        let rounds = 12
        for round in 0..<rounds {
            let objects = bytes.enumerated().map { (key: folder / "object-\(round)-\($0.offset)", bytes: $0.element) }
            for result in try await subject.putTogether(objects) { _ = try result.get() }
        }
        let keys = try await subject.storage.list(folder).map(\.key)
        let lost = (0..<rounds).flatMap { round in bytes.indices.map { folder / "object-\(round)-\($0)" } }.filter { !keys.contains($0) }
        try expect(
            lost.isEmpty,
            "\(requestsAtOnce) objects at a time were put, all with success; of \(rounds * requestsAtOnce) "
                + "\(lost.count) are not there, such as '\(lost.first ?? .root)'")
        for number in bytes.indices { try await subject.expect(folder / "object-0-\(number)", holds: bytes[number]) }
    },

    Check("what is put and removed at the same moment is there and gone") { subject, random in
        let storage = subject.storage
        let folder = subject.prefix / "coming-and-going"
        let bytes = random.bytes(300)
        let half = requestsAtOnce / 2
        for number in 0..<half { try await storage.put(folder / "object-0-\(number)", bytes: bytes) }
        for round in 1...10 {
            let meeting = Meeting(requestsAtOnce)
            _ = try await together { worker in
                if worker < half {
                    await meeting.arrive()
                    return try await storage.remove(folder / "object-\(round - 1)-\(worker)")
                }
                var source = HeldSource(bytes, meeting)
                _ = try await storage.put(folder / "object-\(round)-\(worker - half)", from: &source, PutOptions())
            }
            let keys = try await storage.list(folder).map(\.key)
            let wanted = (0..<half).map { folder / "object-\(round)-\($0)" }
            try expect(keys == wanted, "of \(half) objects that were put while others were removed there are \(keys.map(\.path))")
        }
    },

    Check("puts of one key at a time leave one of them") { subject, random in
        let key = subject.prefix / "contended" / "object"
        let versions = (0..<requestsAtOnce).map { random.bytes(50_000 + $0 * 30_000) }
        for _ in 0..<3 {
            for result in try await subject.putTogether(versions.map { (key, $0) }) { _ = try result.get() }
            let seen = try await subject.storage.read(key)
            try expect(versions.contains(seen), "what is there after \(versions.count) puts is none of them")
            try await subject.expect(key, holds: seen)
            let listed = try await subject.storage.list(key.parent)
            try expect(listed.count == 1, "the puts leave \(listed.map(\.key.path))")
        }
    },

    Check("of many puts if absent one wins") { subject, random in
        try subject.requirePutIfAbsent()
        let versions = (0..<requestsAtOnce).map { random.bytes(500 + $0) }
        for round in 0..<12 {
            let key = subject.prefix / "won" / "object-\(round)"
            let results = try await subject.putTogether(versions.map { (key, $0) }, PutOptions(ifAbsent: true))
            var winners: [Int] = []
            for (number, result) in results.enumerated() {
                switch result {
                case .success: winners.append(number)
                case .failure(let error):
                    try expect(error.code == .alreadyExists, "a put that lost fails with \(describe(error))")
                }
            }
            try expect(winners.count == 1, "\(winners.count) of \(versions.count) puts with ifAbsent succeed, of one key at one moment")
            try await subject.expect(key, holds: versions[winners[0]])
        }
    },
]

extension StorageSubject {
    func requirePutIfAbsent() throws {
        guard storage.capabilities.contains(.putIfAbsent) else { throw NotApplicable(reason: "\(name) has no putIfAbsent") }
    }
}

private final class Flag: Sendable {
    private let up = Atomic<Bool>(true)
    var isUp: Bool { up.load(ordering: .acquiring) }
    func lower() { up.store(false, ordering: .releasing) }
}
