/*
 * litmus/thread/b-fbcon-vmap.broken.litmus, exported by civac: the whole machine, unreduced.
 * civac check: hazard H3; 66 states, 130 transitions.
 *
 * For Spin; this file is called x.pml:
 *   spin -a x.pml && gcc -O2 -DSAFETY -DNOREDUCE -DVECTORSZ=4096 -o pan pan.c
 *   ./pan -m1000000       stops at the first hazard, an assertion
 *   ./pan -m1000000 -A    takes no notice of hazards and counts all states; Spin counts the
 *                         start as one transition more
 *
 * The scenario:
 *
 *   // fbcon draws through a WC vmap of a shmem object before the scanout map (one of the vmaps that msm has beside the user's mmap).
 *   // Result: H3 (the dirty zeroes of the new page go out over the pixel, by the scanout's late clean or by an eviction)
 *   machine arm64 {
 *   	device mdp { .coherent = false, .iommu = smmu };
 *   }
 *   init {
 *   	bo = drm_gem_shmem_create(mdp, PAGE_SIZE, .map_wc = true);
 *   	vm = iommu_domain_alloc(mdp);
 *   }
 *   cpu fbcon {
 *   	u32 *screen = drm_gem_shmem_vmap(bo);
 *   	screen[0] = 7;
 *   	sgt = drm_gem_shmem_get_pages_sgt(bo);  // prepare_fb
 *   	iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ);
 *   	submit(mdp);
 *   	wait(mdp);
 *   	drm_gem_shmem_vunmap(bo, screen);
 *   }
 *   device mdp {
 *   	u32 pixel = dma_read(vm, 0x100000);
 *   }
 */
#define HAZARD false
#define WRONG assert(false)	/* a rule of this file and civac itself disagree */
#define HAZARD_0 assert(HAZARD)	/* H3 in mdp, line 20 */

bit frames;
	/* 0: [] */
	/* 1: [{"pfn":524288,"buffer":0,"page":0,"lines":1,"linear":true}] */
byte kernel_buffers;
	/* 0: [] */
	/* 1: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"none"}],"contiguous":false,"zone":"any","... */
	/* 2: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"resident","frame":0}],"contiguous":false,... */
	/* 3: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"resident","frame":0}],"contiguous":false,... */
	/* 4: [{"id":0,"kind":"gem-shmem","size":4096,"pages":[{"state":"resident","frame":0}],"contiguous":false,... */
byte kernel_maps;
	/* 0: [] */
	/* 1: [{"id":2,"kind":"vmap","buffer":0,"bytes":4096,"attribute":"NC","user":false,"live":true,"present":[... */
	/* 2: [{"id":2,"kind":"vmap","buffer":0,"bytes":4096,"attribute":"NC","user":false,"live":false,"present":... */
bit kernel_sgts;
	/* 0: [] */
	/* 1: [{"id":4,"entries":[{"buffer":0,"offset":0,"size":4096,"frames":[[0,0]],"perPage":true}],"mapping":4... */
bit kernel_mappings;
	/* 0: [] */
	/* 1: [{"id":4,"type":"sg","device":0,"address":1342177280,"size":4096,"direction":0,"attrs":0,"nents":1,"... */
byte kernel_handles;
	/* 0: [null,null,null] */
	/* 1: [{"kind":"buffer","id":0},null,null] */
	/* 2: [{"kind":"buffer","id":0},{"kind":"domain","id":1},null] */
	/* 3: [{"kind":"buffer","id":0},{"kind":"domain","id":1},{"kind":"sgt","id":4}] */
byte kernel_domains;
	/* 0: [{"id":-1,"device":0,"entries":[],"stale":[]}] */
	/* 1: [{"id":-1,"device":0,"entries":[],"stale":[]},{"id":1,"device":0,"entries":[],"stale":[]}] */
	/* 2: [{"id":-1,"device":0,"entries":[{"iova":1342177280,"size":4096,"buffer":0,"offset":0,"prot":3,"frame... */
	/* 3: [{"id":-1,"device":0,"entries":[{"iova":1342177280,"size":4096,"buffer":0,"offset":0,"prot":3,"frame... */
	/* 4: [{"id":-1,"device":0,"entries":[{"iova":1342177280,"size":4096,"buffer":0,"offset":0,"prot":3,"frame... */
byte kernel_ports;
	/* 0: [{"rung":0,"queue":[],"done":0,"clock":[0,0,0]}] */
	/* 1: [{"rung":1,"queue":[],"done":0,"clock":[0,0,0]}] */
	/* 2: [{"rung":1,"queue":[],"done":1,"clock":[0,2,0]}] */
byte init_pc = 1;
	/* 0: -2 */
	/* 1: 0 */
	/* 2: 1 */
byte fbcon_pc;
	/* 0: -1 */
	/* 1: 0 */
	/* 2: 1 */
	/* 3: 2 */
	/* 4: 3 */
	/* 5: 4 */
	/* 6: 5 */
	/* 7: 6 */
	/* 8: 7 */
bit fbcon_screen;
	/* 0: 0 */
	/* 1: {"kind":"ptr","map":2,"offset":0} */
bit fbcon_work;
	/* 0: [] */
	/* 1: [{"do":"drained","what":"all"},{"do":"translate","domain":-1,"entry":{"iova":1342177280,"size":4096,... */
bit fbcon_site;
	/* 0: -1 */
	/* 1: 4 */
bit fbcon_tickets;
	/* 0: [1] */
	/* 1: [2] */
byte fbcon_clock1;
byte fbcon_entries0;
	/* 0: nothing */
	/* 1: {"kind":"store","attribute":"NC","frame":0,"line":0,"word":0,"cell":0,"value":7,"own":false,"at":3} */
	/* 2: {"kind":"maintain","op":"clean","frame":0,"line":0,"cell":0,"from":0,"to":4096,"at":4} */
	/* 3: {"kind":"doorbell","device":0,"clock":[0,2,0],"at":6} */
byte fbcon_entries1;
	/* 0: nothing */
	/* 1: {"kind":"store","attribute":"NC","frame":0,"line":0,"word":0,"cell":0,"value":7,"own":false,"at":3} */
	/* 2: {"kind":"maintain","op":"clean","frame":0,"line":0,"cell":0,"from":0,"to":4096,"at":4} */
bit mdp_pc;
	/* 0: -1 */
	/* 1: 0 */
byte mdp_pixel;
byte mdp_clock1;
byte ideal_0;	/* writes to bo+0x0 still readable */
	/* 0: {"writes":[],"lost":null,"refused":[]} */
	/* 1: {"writes":[{"value":0,"agent":1,"count":1,"clock":[0,1,0]}],"lost":null,"refused":[]} */
	/* 2: {"writes":[{"value":0,"agent":1,"count":1,"clock":[0,1,0]},{"value":7,"agent":1,"count":2,"clock":[0... */
	/* 3: {"writes":[{"value":0,"agent":1,"count":1,"clock":[0,1,0]},{"value":7,"agent":1,"count":2,"clock":[0... */
byte line_0_0_state;
	/* 0: nothing */
	/* 1: "dirty" */
	/* 2: "clean" */
	/* 3: "absent" */
byte line_0_0_dram0;
	/* 0: nothing */
	/* 1: 0 */
	/* 2: 7 */
	/* 3: 1589641216 */
byte line_0_0_copy0;
	/* 0: nothing */
	/* 1: 0 */
	/* 2: 7 */
byte line_0_0_written;
	/* 0: nothing */
	/* 1: 0 */
	/* 2: 1 */
bit line_0_0_stopped;
	/* 0: nothing */
	/* 1: 0 */

#define RUNNING (!(init_pc == 0 && fbcon_pc == 8))

/* Thread init and its buffer. */
active proctype p_init() {
end:
	do
	/* 7: bo = drm_gem_shmem_create(mdp, PAGE_SIZE, .map_wc = true); */
	:: d_step { RUNNING && init_pc == 1 -> kernel_buffers = 1; kernel_handles = 1; init_pc = 2 }
	/* 8: vm = iommu_domain_alloc(mdp); */
	:: d_step { RUNNING && init_pc == 2 -> kernel_handles = 2; kernel_domains = 1; init_pc = 0; fbcon_pc = 1 }
	od
}

/* Thread fbcon and its buffer. */
active proctype p_fbcon() {
end:
	do
	/* 11: u32 *screen = drm_gem_shmem_vmap(bo); */
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 1 ->
		kernel_buffers = 2;
		kernel_maps = 1;
		fbcon_pc = 2;
		fbcon_screen = 1;
		fbcon_clock1 = 1;
		ideal_0 = 1;
		frames = 1;
		line_0_0_state = 1;
		line_0_0_dram0 = 3;
		line_0_0_copy0 = 1;
		line_0_0_written = 2;
		line_0_0_stopped = 1 }
	/* 12: screen[0] = 7; */
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 2 ->
		fbcon_pc = 3;
		fbcon_clock1 = 2;
		fbcon_entries0 = 1;
		ideal_0 = 2 }
	/* 13: sgt = drm_gem_shmem_get_pages_sgt(bo);  // prepare_fb */
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 3 && fbcon_entries0 == 1 && fbcon_entries1 == 0 ->
		kernel_buffers = 3;
		kernel_sgts = 1;
		kernel_mappings = 1;
		kernel_handles = 3;
		fbcon_pc = 4;
		fbcon_work = 1;
		fbcon_site = 1;
		fbcon_entries1 = 2 }
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 3 && fbcon_entries0 == 0 ->
		kernel_buffers = 3;
		kernel_sgts = 1;
		kernel_mappings = 1;
		kernel_handles = 3;
		fbcon_pc = 4;
		fbcon_work = 1;
		fbcon_site = 1;
		fbcon_entries0 = 2 }
	:: d_step { RUNNING && init_pc == 0 && fbcon_work == 1 && fbcon_entries0 == 0 ->
		kernel_domains = 2;
		fbcon_work = 0;
		fbcon_site = 0 }
	/* 14: iommu_map_sgtable(vm, 0x100000, sgt, IOMMU_READ); */
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 4 && fbcon_work == 0 -> kernel_domains = 3; fbcon_pc = 5 }
	/* 15: submit(mdp); */
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 5 -> kernel_ports = 1; fbcon_pc = 6; fbcon_entries0 = 3 }
	/* 16: wait(mdp); */
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 6 && kernel_ports == 2 -> fbcon_pc = 7; fbcon_tickets = 1 }
	/* 17: drm_gem_shmem_vunmap(bo, screen); */
	:: d_step { RUNNING && init_pc == 0 && fbcon_pc == 7 -> kernel_buffers = 4; kernel_maps = 2; fbcon_pc = 8 }
	/* entry 0 of the buffer leaves, M5: store to memory */
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries0 == 1 ->
		fbcon_entries0 = fbcon_entries1;
		fbcon_entries1 = 0;
		line_0_0_dram0 = 2 }
	/* entry 0 of the buffer leaves, M9: clean */
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries0 == 2 && line_0_0_state == 3 -> fbcon_entries0 = 0 }
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries0 == 2 && line_0_0_state == 2 -> fbcon_entries0 = 0 }
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries0 == 2 && line_0_0_state == 1 ->
		fbcon_entries0 = 0;
		if
		:: ideal_0 == 1 && line_0_0_dram0 == 1 && !(line_0_0_copy0 == 1) ->
			WRONG
		:: else
		fi;
		if
		:: ideal_0 == 2 && line_0_0_dram0 == 2 && !(line_0_0_copy0 == 2) && !(fbcon_entries0 == 1 || fbcon_entries1 == 1) ->
			if
			:: line_0_0_written == 2 ->
				ideal_0 = 3
			:: else ->
				WRONG
			fi
		:: else
		fi;
		line_0_0_dram0 = line_0_0_copy0;
		line_0_0_written = 1;
		line_0_0_stopped = 1;
		line_0_0_state = 2 }
	/* entry 0 of the buffer leaves */
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries0 == 3 -> fbcon_entries0 = 0; mdp_pc = 1; mdp_clock1 = 2 }
	/* entry 1 of the buffer leaves, M9: clean */
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries1 == 2 && line_0_0_state == 3 -> fbcon_entries1 = 0 }
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries1 == 2 && line_0_0_state == 2 -> fbcon_entries1 = 0 }
	:: d_step { RUNNING && init_pc == 0 && fbcon_entries1 == 2 && line_0_0_state == 1 ->
		fbcon_entries1 = 0;
		if
		:: ideal_0 == 1 && line_0_0_dram0 == 1 && !(line_0_0_copy0 == 1) ->
			WRONG
		:: else
		fi;
		if
		:: ideal_0 == 2 && line_0_0_dram0 == 2 && !(line_0_0_copy0 == 2) && !(fbcon_entries0 == 1 || fbcon_entries1 == 1) ->
			if
			:: line_0_0_written == 2 ->
				ideal_0 = 3
			:: else ->
				WRONG
			fi
		:: else
		fi;
		line_0_0_dram0 = line_0_0_copy0;
		line_0_0_written = 1;
		line_0_0_stopped = 1;
		line_0_0_state = 2 }
	od
}

/* Thread mdp and its buffer. */
active proctype p_mdp() {
end:
	do
	/* 20: u32 pixel = dma_read(vm, 0x100000); */
	:: d_step { RUNNING && init_pc == 0 && mdp_pc == 1 && line_0_0_dram0 == 1 ->
		HAZARD_0;
		kernel_domains = 4;
		kernel_ports = 2;
		mdp_pc = 0 }
	:: d_step { RUNNING && init_pc == 0 && mdp_pc == 1 && (line_0_0_state == 2 || line_0_0_state == 3) && line_0_0_dram0 == 2 ->
		kernel_domains = 4;
		kernel_ports = 2;
		mdp_pc = 0;
		mdp_pixel = 7 }
	od
}

/* What lines do by themselves (M3, M4). */
active proctype p_cache() {
end:
	do
	/* line 0 of frame 0, M3: dirty, written back and kept */
	:: d_step { RUNNING && line_0_0_state == 1 ->
		if
		:: ideal_0 == 1 && line_0_0_dram0 == 1 && !(line_0_0_copy0 == 1) ->
			WRONG
		:: else
		fi;
		if
		:: ideal_0 == 2 && line_0_0_dram0 == 2 && !(line_0_0_copy0 == 2) && !(fbcon_entries0 == 1 || fbcon_entries1 == 1) ->
			if
			:: line_0_0_written == 2 ->
				ideal_0 = 3
			:: else ->
				WRONG
			fi
		:: else
		fi;
		line_0_0_dram0 = line_0_0_copy0;
		line_0_0_written = 1;
		line_0_0_stopped = 1;
		line_0_0_state = 2 }
	/* line 0 of frame 0, M3: dirty, written back and dropped */
	:: d_step { RUNNING && line_0_0_state == 1 ->
		if
		:: ideal_0 == 1 && line_0_0_dram0 == 1 && !(line_0_0_copy0 == 1) ->
			WRONG
		:: else
		fi;
		if
		:: ideal_0 == 2 && line_0_0_dram0 == 2 && !(line_0_0_copy0 == 2) && !(fbcon_entries0 == 1 || fbcon_entries1 == 1) ->
			if
			:: line_0_0_written == 2 ->
				ideal_0 = 3
			:: else ->
				WRONG
			fi
		:: else
		fi;
		line_0_0_dram0 = line_0_0_copy0;
		line_0_0_written = 1;
		line_0_0_stopped = 1;
		line_0_0_copy0 = 0;
		line_0_0_state = 3 }
	/* line 0 of frame 0, M3: clean, dropped */
	:: d_step { RUNNING && line_0_0_state == 2 ->
		line_0_0_written = 1;
		line_0_0_stopped = 1;
		line_0_0_copy0 = 0;
		line_0_0_state = 3 }
	/* line 0 of frame 0, M4: fetched speculatively */
	:: d_step { RUNNING && frames == 1 && line_0_0_state == 3 ->
		line_0_0_copy0 = line_0_0_dram0;
		line_0_0_written = 1;
		line_0_0_stopped = 1;
		line_0_0_state = 2 }
	od
}

active proctype p_monitor() {
end:
	do
	/* Never so: keeps in the state what no step reads. */
	:: d_step { kernel_buffers + kernel_maps + kernel_sgts + kernel_mappings + kernel_handles + kernel_domains + fbcon_screen + fbcon_site + fbcon_tickets + fbcon_clock1 + mdp_pixel + mdp_clock1 + line_0_0_stopped < 0 -> skip }
	od
}
