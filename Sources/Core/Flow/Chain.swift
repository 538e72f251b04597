// The middle of every flow: an ordered list of steps with the memory between them, kept by a worker and used for one object after the other.

/// The order in the code is the order of the data.
public enum Step {
    case tap(any Tap)
    case transform(any Transform)
}

/// Steps and the blocks between them. One object at a time; `reset` before the next.
public final class Chain {
    /// A transform with the block that holds its input and the taps that see its output.
    private struct Stage: ~Copyable {
        let transform: any Transform
        var input: Block
        var inputEnded = false
        var done = false
        var taps: [any Tap] = []
    }

    enum Need { case source, reader, nothing }

    private var firstTaps: [any Tap] = []
    private var stages: UnsafeMutableBufferPointer<Stage>
    private var finished = false

    /// `blockSize`: bytes of the block in front of each transform.
    public init(_ steps: [Step], blockSize: Int = BlockSize.standard) {
        let transforms = steps.count { if case .transform = $0 { true } else { false } }
        stages = .allocate(capacity: transforms)
        var next = 0
        for step in steps {
            switch step {
            case .tap(let tap) where next == 0: firstTaps.append(tap)
            case .tap(let tap): stages[next - 1].taps.append(tap)
            case .transform(let transform):
                (stages.baseAddress! + next).initialize(to: Stage(transform: transform, input: Block(capacity: blockSize)))
                next += 1
            }
        }
    }

    deinit { stages.deinitialize().deallocate() }

    /// Ready for the next object, memory kept; also after an error.
    public func reset() throws(BackupError) {
        finished = false
        for tap in firstTaps { tap.reset() }
        for index in stages.indices {
            try stages[index].transform.reset()
            stages[index].input.clear()
            stages[index].inputEnded = false
            stages[index].done = false
            for tap in stages[index].taps { tap.reset() }
        }
    }

    /// One pull of a flow: appends to `out`, asking `source` for more when the steps need it.
    func pull(from source: inout any ByteSource & ~Copyable, into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        if finished { return false }
        if stages.isEmpty {
            let before = out.byteCount
            let more = try await source.read(into: &out)
            see(out, from: before, firstTaps)
            if !more { try finish(firstTaps) }
            finished = !more
            return more
        }
        while true {
            switch try advance(into: &out) {
            case .reader: return true
            case .nothing:
                finished = true
                return false
            case .source:
                let before = stages[0].input.count
                let more = try await stages[0].input.fill(from: &source)
                stages[0].input.withBytes { bytes in
                    let new = bytes.extracting(before..<bytes.byteCount)
                    for tap in firstTaps { tap.update(new) }
                }
                if !more {
                    stages[0].inputEnded = true
                    try finish(firstTaps)
                }
            }
        }
    }

    /// Runs the steps from the last to the first as far as they get without the source.
    private func advance(into out: inout OutputRawSpan) throws(BackupError) -> Need {
        let last = stages.count - 1
        var index = last
        while true {
            if stages[index].done {
                // Only the last one is looked at when it is done: those before have ended their successor's input.
                return .nothing
            }
            let waiting = stages[index].input.count
            if waiting == 0 && !stages[index].inputEnded {
                if index == 0 { return .source }
                index -= 1
                continue
            }
            let produced: Int
            let progress: Progress
            if index == last {
                let before = out.byteCount
                progress = try process(index, into: &out)
                produced = out.byteCount - before
                see(out, from: before, stages[index].taps)
            } else {
                let before = stages[index + 1].input.count
                var result = Progress(consumed: 0, done: false)
                try stages[index + 1].input.append { (next: inout OutputRawSpan) throws(BackupError) in
                    result = try process(index, into: &next)
                    see(next, from: 0, stages[index].taps)
                }
                progress = result
                produced = stages[index + 1].input.count - before
            }
            if progress.done {
                stages[index].done = true
                try finish(stages[index].taps)
                if index == last { return .nothing }
                stages[index + 1].inputEnded = true
            }
            if index == last {
                if out.freeCapacity == 0 { return .reader }
            } else if produced > 0 || progress.done {
                index += 1
                continue
            }
            if progress.consumed == 0 && produced == 0 && !progress.done {
                throw BackupError(.assertion, "a step of the data neither takes nor gives bytes")
            }
        }
    }

    private func process(_ index: Int, into out: inout OutputRawSpan) throws(BackupError) -> Progress {
        let transform = stages[index].transform
        let end = stages[index].inputEnded
        var progress = Progress(consumed: 0, done: false)
        try stages[index].input.withBytes { (bytes: RawSpan) throws(BackupError) in
            progress = try transform.process(bytes, into: &out, end: end)
        }
        stages[index].input.drop(progress.consumed)
        return progress
    }

    private func see(_ out: borrowing OutputRawSpan, from before: Int, _ taps: [any Tap]) {
        guard !taps.isEmpty, out.byteCount > before else { return }
        let new = out.bytes.extracting(before..<out.byteCount)
        for tap in taps { tap.update(new) }
    }

    private func finish(_ taps: [any Tap]) throws(BackupError) {
        for tap in taps { try tap.finish() }
    }
}
