-- litmus/thread/b-fbcon-vmap.broken.litmus, exported by civac: the whole machine, unreduced.
-- civac check: hazard H3; 66 states, 130 transitions.
--
-- For Rumur; this file is called x.m:
--   rumur --deadlock-detection off --threads 1 --output x.c x.m
--   gcc -std=c11 -O2 -mcx16 -w -o x x.c -lpthread -latomic && ./x
-- It stops at the first hazard, an error; with stop_at_hazard false it counts all states.
--
-- The scenario:
--
--   // fbcon draws through a WC vmap of a shmem object before the scanout map (one of the vmaps that msm has beside the user's mmap).
--   // Result: H3 (the dirty zeroes of the new page go out over the pixel, by the scanout's late clean or by an eviction)
--   machine arm64 {
--   	device mdp { .coherent = false, .iommu = smmu };
--   }
--   init {
--   	bo = drm_gem_shmem_create(mdp, PAGE_SIZE, .map_wc = true);
--   	vm = iommu_domain_alloc(mdp);
--   }
--   cpu fbcon {
--   	u32 *screen = drm_gem_shmem_vmap(bo);
--   	screen[0] = 7;
--   	sgt = drm_gem_shmem_get_pages_sgt(bo);  // prepare_fb
--   	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ);
--   	submit(mdp);
--   	wait(mdp);
--   	drm_gem_shmem_vunmap(bo, screen);
--   }
--   device mdp {
--   	u32 pixel = dma_read(vm, 0x100000);
--   }
const
  stop_at_hazard: true; -- false: goes on, and counts every state

var
  frames: 0..1;
  -- 0: []
  -- 1: [{"pfn":524288,"buffer":0,"page":0,"lines":1,"linear":true}]
  kernel_buffers: 0..4;
  -- 0: []
  -- 1: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"none"}],"contiguous":false,"zone":"any","...
  -- 2: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"resident","frame":0}],"contiguous":false,...
  -- 3: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"resident","frame":0}],"contiguous":false,...
  -- 4: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"resident","frame":0}],"contiguous":false,...
  kernel_maps: 0..2;
  -- 0: []
  -- 1: [{"id":2,"kind":"vmap","buffer":0,"bytes":4096,"attribute":"NC","user":false,"live":true,"present":[...
  -- 2: [{"id":2,"kind":"vmap","buffer":0,"bytes":4096,"attribute":"NC","user":false,"live":false,"present":...
  kernel_sgts: 0..1;
  -- 0: []
  -- 1: [{"id":4,"entries":[{"buffer":0,"offset":0,"size":4096,"frames":[[0,0]],"perPage":true}],"mapping":4...
  kernel_mappings: 0..1;
  -- 0: []
  -- 1: [{"id":4,"type":"sg","device":0,"address":1342177280,"size":4096,"direction":0,"attrs":0,"nents":1,"...
  kernel_handles: 0..3;
  -- 0: [null,null,null]
  -- 1: [{"kind":"buffer","id":0},null,null]
  -- 2: [{"kind":"buffer","id":0},{"kind":"domain","id":1},null]
  -- 3: [{"kind":"buffer","id":0},{"kind":"domain","id":1},{"kind":"sgt","id":4}]
  kernel_domains: 0..4;
  -- 0: [{"id":-1,"device":0,"entries":[],"stale":[]}]
  -- 1: [{"id":-1,"device":0,"entries":[],"stale":[]},{"id":1,"device":0,"entries":[],"stale":[]}]
  -- 2: [{"id":-1,"device":0,"entries":[{"iova":1342177280,"size":4096,"buffer":0,"offset":0,"prot":3,"frame...
  -- 3: [{"id":-1,"device":0,"entries":[{"iova":1342177280,"size":4096,"buffer":0,"offset":0,"prot":3,"frame...
  -- 4: [{"id":-1,"device":0,"entries":[{"iova":1342177280,"size":4096,"buffer":0,"offset":0,"prot":3,"frame...
  kernel_ports: 0..2;
  -- 0: [{"rung":0,"queue":[],"done":0,"clock":[0,0,0]}]
  -- 1: [{"rung":1,"queue":[],"done":0,"clock":[0,0,0]}]
  -- 2: [{"rung":1,"queue":[],"done":1,"clock":[0,2,0]}]
  init_pc: 0..2;
  -- 0: -2
  -- 1: 0
  -- 2: 1
  fbcon_pc: 0..8;
  -- 0: -1
  -- 1: 0
  -- 2: 1
  -- 3: 2
  -- 4: 3
  -- 5: 4
  -- 6: 5
  -- 7: 6
  -- 8: 7
  fbcon_screen: 0..1;
  -- 0: 0
  -- 1: {"kind":"ptr","map":2,"offset":0}
  fbcon_work: 0..1;
  -- 0: []
  -- 1: [{"do":"drained","what":"all"},{"do":"translate","domain":-1,"entry":{"iova":1342177280,"size":4096,...
  fbcon_site: 0..1;
  -- 0: -1
  -- 1: 4
  fbcon_tickets: 0..1;
  -- 0: [1]
  -- 1: [2]
  fbcon_clock1: 0..2;
  fbcon_entries0: 0..3;
  -- 0: nothing
  -- 1: {"kind":"store","attribute":"NC","frame":0,"line":0,"word":0,"cell":0,"value":7,"own":false,"at":3}
  -- 2: {"kind":"maintain","op":"clean","frame":0,"line":0,"cell":0,"from":0,"to":4096,"at":4}
  -- 3: {"kind":"doorbell","device":0,"clock":[0,2,0],"at":6}
  fbcon_entries1: 0..2;
  -- 0: nothing
  -- 1: {"kind":"store","attribute":"NC","frame":0,"line":0,"word":0,"cell":0,"value":7,"own":false,"at":3}
  -- 2: {"kind":"maintain","op":"clean","frame":0,"line":0,"cell":0,"from":0,"to":4096,"at":4}
  mdp_pc: 0..1;
  -- 0: -1
  -- 1: 0
  mdp_pixel: 0..7;
  mdp_clock1: 0..2;
  ideal_0: 0..3; -- writes to bo+0x0 still readable
  -- 0: {"writes":[],"lost":null,"refused":[]}
  -- 1: {"writes":[{"value":0,"agent":1,"count":1,"clock":[0,1,0]}],"lost":null,"refused":[]}
  -- 2: {"writes":[{"value":0,"agent":1,"count":1,"clock":[0,1,0]},{"value":7,"agent":1,"count":2,"clock":[0...
  -- 3: {"writes":[{"value":0,"agent":1,"count":1,"clock":[0,1,0]},{"value":7,"agent":1,"count":2,"clock":[0...
  line_0_0_state: 0..3;
  -- 0: nothing
  -- 1: "dirty"
  -- 2: "clean"
  -- 3: "absent"
  line_0_0_dram0: 0..3;
  -- 0: nothing
  -- 1: 0
  -- 2: 7
  -- 3: 1589641216
  line_0_0_copy0: 0..2;
  -- 0: nothing
  -- 1: 0
  -- 2: 7
  line_0_0_written: 0..2;
  -- 0: nothing
  -- 1: 0
  -- 2: 1
  line_0_0_stopped: 0..1;
  -- 0: nothing
  -- 1: 0

-- A run is over when everything has run to its end.
function running(): boolean;
begin
  return !(init_pc = 0 & fbcon_pc = 8);
end;

startstate
begin
  frames := 0;
  kernel_buffers := 0;
  kernel_maps := 0;
  kernel_sgts := 0;
  kernel_mappings := 0;
  kernel_handles := 0;
  kernel_domains := 0;
  kernel_ports := 0;
  init_pc := 1;
  fbcon_pc := 0;
  fbcon_screen := 0;
  fbcon_work := 0;
  fbcon_site := 0;
  fbcon_tickets := 0;
  fbcon_clock1 := 0;
  fbcon_entries0 := 0;
  fbcon_entries1 := 0;
  mdp_pc := 0;
  mdp_pixel := 0;
  mdp_clock1 := 0;
  ideal_0 := 0;
  line_0_0_state := 0;
  line_0_0_dram0 := 0;
  line_0_0_copy0 := 0;
  line_0_0_written := 0;
  line_0_0_stopped := 0;
end;

-- Thread init and its buffer.
rule "init 0: 7: bo = drm_gem_shmem_create(mdp, PAGE_SIZE, .map_wc = true);"
  running() & (init_pc = 1)
==>
begin
  kernel_buffers := 1;
  kernel_handles := 1;
  init_pc := 2;
end;

rule "init 1: 8: vm = iommu_domain_alloc(mdp);"
  running() & (init_pc = 2)
==>
begin
  kernel_handles := 2;
  kernel_domains := 1;
  init_pc := 0;
  fbcon_pc := 1;
end;

-- Thread fbcon and its buffer.
rule "fbcon 0: 11: u32 *screen = drm_gem_shmem_vmap(bo);"
  running() & (init_pc = 0 & fbcon_pc = 1)
==>
begin
  kernel_buffers := 2;
  kernel_maps := 1;
  fbcon_pc := 2;
  fbcon_screen := 1;
  fbcon_clock1 := 1;
  ideal_0 := 1;
  frames := 1;
  line_0_0_state := 1;
  line_0_0_dram0 := 3;
  line_0_0_copy0 := 1;
  line_0_0_written := 2;
  line_0_0_stopped := 1;
end;

rule "fbcon 1: 12: screen[0] = 7;"
  running() & (init_pc = 0 & fbcon_pc = 2)
==>
begin
  fbcon_pc := 3;
  fbcon_clock1 := 2;
  fbcon_entries0 := 1;
  ideal_0 := 2;
end;

rule "fbcon 2: 13: sgt = drm_gem_shmem_get_pages_sgt(bo);  // prepare_fb"
  running() & (init_pc = 0 & fbcon_pc = 3 & fbcon_entries0 = 1 & fbcon_entries1 = 0)
==>
begin
  kernel_buffers := 3;
  kernel_sgts := 1;
  kernel_mappings := 1;
  kernel_handles := 3;
  fbcon_pc := 4;
  fbcon_work := 1;
  fbcon_site := 1;
  fbcon_entries1 := 2;
end;

rule "fbcon 3: 13: sgt = drm_gem_shmem_get_pages_sgt(bo);  // prepare_fb"
  running() & (init_pc = 0 & fbcon_pc = 3 & fbcon_entries0 = 0)
==>
begin
  kernel_buffers := 3;
  kernel_sgts := 1;
  kernel_mappings := 1;
  kernel_handles := 3;
  fbcon_pc := 4;
  fbcon_work := 1;
  fbcon_site := 1;
  fbcon_entries0 := 2;
end;

rule "fbcon 4: 13: sgt = drm_gem_shmem_get_pages_sgt(bo);  // prepare_fb"
  running() & (init_pc = 0 & fbcon_work = 1 & fbcon_entries0 = 0)
==>
begin
  kernel_domains := 2;
  fbcon_work := 0;
  fbcon_site := 0;
end;

rule "fbcon 5: 14: iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ);"
  running() & (init_pc = 0 & fbcon_pc = 4 & fbcon_work = 0)
==>
begin
  kernel_domains := 3;
  fbcon_pc := 5;
end;

rule "fbcon 6: 15: submit(mdp);"
  running() & (init_pc = 0 & fbcon_pc = 5)
==>
begin
  kernel_ports := 1;
  fbcon_pc := 6;
  fbcon_entries0 := 3;
end;

rule "fbcon 7: 16: wait(mdp);"
  running() & (init_pc = 0 & fbcon_pc = 6 & kernel_ports = 2)
==>
begin
  fbcon_pc := 7;
  fbcon_tickets := 1;
end;

rule "fbcon 8: 17: drm_gem_shmem_vunmap(bo, screen);"
  running() & (init_pc = 0 & fbcon_pc = 7)
==>
begin
  kernel_buffers := 4;
  kernel_maps := 2;
  fbcon_pc := 8;
end;

rule "fbcon 9: entry 0 of the buffer leaves, M5: store to memory"
  running() & (init_pc = 0 & fbcon_entries0 = 1)
==>
begin
  fbcon_entries0 := fbcon_entries1;
  fbcon_entries1 := 0;
  line_0_0_dram0 := 2;
end;

rule "fbcon 10: entry 0 of the buffer leaves, M9: clean"
  running() & (init_pc = 0 & fbcon_entries0 = 2 & line_0_0_state = 3)
==>
begin
  fbcon_entries0 := 0;
end;

rule "fbcon 11: entry 0 of the buffer leaves, M9: clean"
  running() & (init_pc = 0 & fbcon_entries0 = 2 & line_0_0_state = 2)
==>
begin
  fbcon_entries0 := 0;
end;

rule "fbcon 12: entry 0 of the buffer leaves, M9: clean"
  running() & (init_pc = 0 & fbcon_entries0 = 2 & line_0_0_state = 1)
==>
begin
  fbcon_entries0 := 0;
  if ideal_0 = 1 & line_0_0_dram0 = 1 & !(line_0_0_copy0 = 1) then
    error "civac and its own export disagree";
  end;
  if ideal_0 = 2 & line_0_0_dram0 = 2 & !(line_0_0_copy0 = 2) & !(fbcon_entries0 = 1 | fbcon_entries1 = 1) then
    if line_0_0_written = 2 then
    ideal_0 := 3;
  else
    error "civac and its own export disagree";
  end;
  end;
  line_0_0_dram0 := line_0_0_copy0;
  line_0_0_written := 1;
  line_0_0_stopped := 1;
  line_0_0_state := 2;
end;

rule "fbcon 13: entry 0 of the buffer leaves"
  running() & (init_pc = 0 & fbcon_entries0 = 3)
==>
begin
  fbcon_entries0 := 0;
  mdp_pc := 1;
  mdp_clock1 := 2;
end;

rule "fbcon 14: entry 1 of the buffer leaves, M9: clean"
  running() & (init_pc = 0 & fbcon_entries1 = 2 & line_0_0_state = 3)
==>
begin
  fbcon_entries1 := 0;
end;

rule "fbcon 15: entry 1 of the buffer leaves, M9: clean"
  running() & (init_pc = 0 & fbcon_entries1 = 2 & line_0_0_state = 2)
==>
begin
  fbcon_entries1 := 0;
end;

rule "fbcon 16: entry 1 of the buffer leaves, M9: clean"
  running() & (init_pc = 0 & fbcon_entries1 = 2 & line_0_0_state = 1)
==>
begin
  fbcon_entries1 := 0;
  if ideal_0 = 1 & line_0_0_dram0 = 1 & !(line_0_0_copy0 = 1) then
    error "civac and its own export disagree";
  end;
  if ideal_0 = 2 & line_0_0_dram0 = 2 & !(line_0_0_copy0 = 2) & !(fbcon_entries0 = 1 | fbcon_entries1 = 1) then
    if line_0_0_written = 2 then
    ideal_0 := 3;
  else
    error "civac and its own export disagree";
  end;
  end;
  line_0_0_dram0 := line_0_0_copy0;
  line_0_0_written := 1;
  line_0_0_stopped := 1;
  line_0_0_state := 2;
end;

-- Thread mdp and its buffer.
rule "mdp 0: 20: u32 pixel = dma_read(vm, 0x100000);"
  running() & (init_pc = 0 & mdp_pc = 1 & line_0_0_dram0 = 1)
==>
begin
  if stop_at_hazard then error "H3 in mdp, line 20"; end;
  kernel_domains := 4;
  kernel_ports := 2;
  mdp_pc := 0;
end;

rule "mdp 1: 20: u32 pixel = dma_read(vm, 0x100000);"
  running() & (init_pc = 0 & mdp_pc = 1 & (line_0_0_state = 2 | line_0_0_state = 3) & line_0_0_dram0 = 2)
==>
begin
  kernel_domains := 4;
  kernel_ports := 2;
  mdp_pc := 0;
  mdp_pixel := 7;
end;

-- What lines do by themselves (M3, M4).
rule "cache 0: line 0 of frame 0, M3: dirty, written back and kept"
  running() & (line_0_0_state = 1)
==>
begin
  if ideal_0 = 1 & line_0_0_dram0 = 1 & !(line_0_0_copy0 = 1) then
    error "civac and its own export disagree";
  end;
  if ideal_0 = 2 & line_0_0_dram0 = 2 & !(line_0_0_copy0 = 2) & !(fbcon_entries0 = 1 | fbcon_entries1 = 1) then
    if line_0_0_written = 2 then
    ideal_0 := 3;
  else
    error "civac and its own export disagree";
  end;
  end;
  line_0_0_dram0 := line_0_0_copy0;
  line_0_0_written := 1;
  line_0_0_stopped := 1;
  line_0_0_state := 2;
end;

rule "cache 1: line 0 of frame 0, M3: dirty, written back and dropped"
  running() & (line_0_0_state = 1)
==>
begin
  if ideal_0 = 1 & line_0_0_dram0 = 1 & !(line_0_0_copy0 = 1) then
    error "civac and its own export disagree";
  end;
  if ideal_0 = 2 & line_0_0_dram0 = 2 & !(line_0_0_copy0 = 2) & !(fbcon_entries0 = 1 | fbcon_entries1 = 1) then
    if line_0_0_written = 2 then
    ideal_0 := 3;
  else
    error "civac and its own export disagree";
  end;
  end;
  line_0_0_dram0 := line_0_0_copy0;
  line_0_0_written := 1;
  line_0_0_stopped := 1;
  line_0_0_copy0 := 0;
  line_0_0_state := 3;
end;

rule "cache 2: line 0 of frame 0, M3: clean, dropped"
  running() & (line_0_0_state = 2)
==>
begin
  line_0_0_written := 1;
  line_0_0_stopped := 1;
  line_0_0_copy0 := 0;
  line_0_0_state := 3;
end;

rule "cache 3: line 0 of frame 0, M4: fetched speculatively"
  running() & (frames = 1 & line_0_0_state = 3)
==>
begin
  line_0_0_copy0 := line_0_0_dram0;
  line_0_0_written := 1;
  line_0_0_stopped := 1;
  line_0_0_state := 2;
end;
