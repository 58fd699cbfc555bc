//! One packet through the loaded programs (`BPF_PROG_TEST_RUN`): for packet tables,
//! benches, and questions like "what would become of this?". Nothing is sent.

use aya::programs::{Program, ProgramError, TestRun, TestRunOptions, TestRunResult};
use gateway_common::abi::{Hook, program};

use crate::Error;
use crate::open::Dataplane;

/// Where a packet is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunAt {
    /// Which program.
    pub hook: Hook,
    /// Device it runs on.
    pub ifindex: u32,
    /// For [`Hook::TcEgress`]: the device the packet came in on before.
    pub ingress_ifindex: u32,
    /// How often. From the second time on the program sees its own output.
    pub repeat: u32,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanPacket {
    /// The program's return value: an `XDP_*` or `TC_ACT_*` number.
    pub action: u32,
    /// The frame as the program left it.
    pub frame: Vec<u8>,
    /// Mean time of a run, nanoseconds.
    pub nanoseconds: u64,
}

impl Dataplane {
    /// Runs a program on `frame`.
    ///
    /// # Errors
    /// When the kernel refuses the run: a frame shorter than an Ethernet header, or
    /// an interface that is not there.
    pub fn run_packet(&self, at: RunAt, frame: &[u8]) -> Result<RanPacket, Error> {
        let name = match at.hook {
            Hook::Xdp => program::XDP,
            Hook::TcIngress => program::TC_INGRESS,
            Hook::TcEgress => program::TC_EGRESS,
        };
        // Room for what programs put in front.
        let mut out = vec![0; frame.len() + 256];
        let context = context(at, frame.len());
        let options = TestRunOptions {
            data_in: Some(frame),
            data_out: Some(&mut out),
            ctx_in: Some(&context),
            repeat: at.repeat.max(1),
            ..TestRunOptions::default()
        };
        let result: Result<TestRunResult, ProgramError> = match self.ebpf.program(name) {
            Some(Program::Xdp(xdp)) => xdp.test_run(options),
            Some(Program::SchedClassifier(tc)) => tc.test_run(options),
            _ => return Err(Error::Missing(name)),
        };
        let result = result.map_err(|source| Error::Program {
            program: name,
            source,
        })?;
        out.truncate(result.data_size_out as usize);
        Ok(RanPacket {
            action: result.return_value,
            frame: out,
            nanoseconds: u64::try_from(result.duration.as_nanos()).unwrap_or(u64::MAX),
        })
    }

    /// Instructions that the verifier walked for each program: head-room to its
    /// limit of a million.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn verified_instructions(&self) -> Result<Vec<(&'static str, u32)>, Error> {
        let mut all = Vec::new();
        for name in crate::open::PROGRAMS {
            let program = self.ebpf.program(name).ok_or(Error::Missing(name))?;
            let info = match program {
                Program::Xdp(xdp) => xdp.info(),
                Program::SchedClassifier(tc) => tc.info(),
                _ => return Err(Error::Missing(name)),
            };
            let count = info
                .ok()
                .and_then(|info| info.verified_instruction_count())
                .unwrap_or(0);
            all.push((name, count));
        }
        Ok(all)
    }
}

/// The context a program sees: `struct xdp_md` or `struct __sk_buff`.
fn context(at: RunAt, length: usize) -> Vec<u8> {
    let words: Vec<u32> = match at.hook {
        // data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex
        Hook::Xdp => vec![0, u32::try_from(length).unwrap_or(0), 0, at.ifindex, 0, 0],
        Hook::TcIngress | Hook::TcEgress => {
            // len, pkt_type, mark, queue_mapping, protocol, vlan_present, vlan_tci,
            // vlan_proto, priority, ingress_ifindex, ifindex, ...
            let mut words = vec![0; 48];
            words[9] = at.ingress_ifindex;
            words[10] = at.ifindex;
            words
        }
    };
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}
