from shinka.core import EvolutionConfig, ShinkaEvolveRunner
from shinka.database import DatabaseConfig
from shinka.launch import LocalJobConfig

task_sys_msg = """Choose what goes into a bag that carries 100,
so that its value is as high as can be."""

job_config = LocalJobConfig(eval_program_path="evaluate.py", time="00:00:30")
db_config = DatabaseConfig(db_path="evolution.sqlite", num_islands=2, archive_size=10, migration_interval=3)
evo_config = EvolutionConfig(
    task_sys_msg=task_sys_msg,
    num_generations=8,
    patch_types=["diff", "full"],
    language="python",
    llm_models=["some-model"],
    init_program_path="initial.py",
)

if __name__ == "__main__":
    ShinkaEvolveRunner(evo_config=evo_config, job_config=job_config, db_config=db_config).run()
